"""What models learn from a number of virtual patients, tested on thousands of others."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import product
from pathlib import Path

import numpy as np
from scipy.special import expit

from dyssync.arrays import Floats, Ints
from dyssync.cohort.clinical import FACTS as CLINICAL_FACTS
from dyssync.cohort.clinical import facts_of
from dyssync.ecg import ECG
from dyssync.keeping import keeping
from dyssync.models.fall import falls_to_learn
from dyssync.models.head import fit_head
from dyssync.simulation.population import Population
from dyssync.workers import OnProgress, unwatched
from fit_table import Fit, Score, Work, go_through, left_to_do
from learners import FACTS, QUICK, SLOW, Learners, Named, score
from virtual_people import People, virtual_people

OWN, SHUFFLED = "own", "shuffled"
BAYES = "bayes"  # who knows all of the heart, and what it is worth
# who is told what `hearts` teaches an encoder, without error, and learns its worth from patients
TOLD = "told-hearts"
FEW = 140  # patients of whom some respond and some do not
# Cohort in the table: population, seed of those drawn from and tested, seed of those of the limit.
COHORTS: Mapping[str, tuple[Population, int, int]] = {
    "crt": ("crt", 777, 4242),
    "foreign": ("foreign", 888, 4243),
}


@dataclass(frozen=True)
class Draws:
    """What is fitted.

    Attributes:
        models: names.
        sizes: patients that a fit learns from.
        count: draws a size.
        slow_sizes: of `resnet18`.
        slow_count: draws a size of `resnet18`.
        limit: patients of another seed that each quick model learns from once; 0 for none.
        beside: whether who is told the heart and who knows all of it are among the fits.
        people: virtual patients in all.
        pool: of them are drawn from; all others are tested.
    """

    models: Sequence[str] = tuple(QUICK.split(","))
    sizes: Sequence[int] = (70, 140, 228, 285, 570, 1140)
    count: int = 20
    slow_sizes: Sequence[int] = (70, 228, 570)
    slow_count: int = 5
    limit: int = 6000
    beside: bool = True
    people: int = 6000
    pool: int = 2000

    def fits(self, learners: Learners, cohort: str, labels: str) -> Iterator[Fit]:
        """Yield all fits of a cohort; the limit and Bayes only where labels are their owners'."""
        for name in self.models:
            slow = name == SLOW
            for patients in self.slow_sizes if slow else self.sizes:
                for draw in range(self.slow_count if slow else self.count):
                    yield learners.fit(name, cohort, labels, patients, draw)
            if labels == OWN and self.limit and not slow:
                yield learners.fit(name, cohort, labels, self.limit, 0)
        if labels == OWN and self.beside:
            for told, patients in product((TOLD, f"{TOLD}{FACTS}"), self.sizes):
                for draw in range(self.count):
                    yield Fit(cohort, labels, told, "", "", patients, draw)
            yield Fit(cohort, labels, BAYES, "", "", 0, 0)


def learn(
    draws: Draws,
    named: Named,
    cohort: str,
    labels: str,
    folder: Path,
    table: Path,
    *,
    workers: int = 1,
    on_progress: OnProgress = unwatched,
) -> None:
    """Do the fits to a virtual cohort that the table does not hold yet.

    Args:
        draws: what is fitted.
        named: the models.
        cohort: of :data:`COHORTS`.
        labels: "own", or "shuffled" anew in each draw, those of the tested too.
        folder: of the virtual patients.
        table: to go on with.
        workers: processes.
        on_progress: called with how many fits are done now, of how many.
    """
    fits = list(draws.fits(named.made(), cohort, labels))
    left = left_to_do(fits, table)
    if not left:
        return
    limited = bool(draws.limit) and any(fit.patients == draws.limit for fit in left)
    make = partial(_work_on, draws, named, cohort, folder, limited)
    with keeping():
        go_through(fits, make, table, workers=workers, on_progress=on_progress)


def _work_on(draws: Draws, named: Named, cohort: str, folder: Path, limited: bool) -> Work:
    """Look at the patients of a cohort; return what does one fit to them."""
    population, seed, seed_of_limit = COHORTS[cohort]
    learners = named.made()
    people = virtual_people(draws.people, seed, folder, population)
    more = virtual_people(draws.limit, seed_of_limit, folder, population) if limited else None
    for held in (people, more) if more else (people,):
        learners.look_at(held.ecgs, held.responses, FEW)
    return virtual_work(draws, learners, people, more)


def virtual_work(draws: Draws, learners: Learners, people: People, more: People | None) -> Work:
    """Return what does one fit.

    Args:
        draws: what is fitted.
        learners: makes the models.
        people: who are drawn from and tested.
        more: who teach the limit.
    """
    others = np.arange(draws.pool, len(people.responses))

    def work(fit: Fit) -> Score:
        if fit.model == BAYES:
            return score(people.responses[others], people.chances[others])
        if fit.model.removesuffix(FACTS) == TOLD:
            return _told(people, fit, _drawn(fit), others)
        held = shuffled(people, fit.draw) if fit.labels == SHUFFLED else people
        tested, outcomes, _ = held.of(others)
        x, y, falls = _teachers(fit, held)
        model = learners.make(fit.model).fit(x, y, seed=fit.draw, fall=falls)
        return score(outcomes, model.response_probability(tested))

    def _teachers(fit: Fit, held: People) -> tuple[list[ECG], Ints, Floats]:
        if fit.patients == draws.limit:
            assert more is not None
            return more.of(np.arange(draws.limit))
        return held.of(_drawn(fit))

    def _drawn(fit: Fit) -> Ints:
        # nested: a larger draw of the same number holds the smaller ones
        return np.random.default_rng(fit.draw).permutation(draws.pool)[: fit.patients]

    return work


def _told(people: People, fit: Fit, taught: Ints, tested: Ints) -> Score:
    """Return what the head of `sim-resnet18` is worth on true hearts in place of features."""
    names = CLINICAL_FACTS if fit.model.endswith(FACTS) else ()
    known = [[facts_of(x).get(name, np.nan) for name in names] for x in people.ecgs]
    facts = np.array(known, dtype=np.float64).reshape(len(known), len(names))
    directions = {"heart": np.eye(people.hearts.shape[1], dtype=np.float32)}
    y = people.responses[taught]
    falls = falls_to_learn(people.falls[taught], y)
    head = fit_head(people.hearts[taught], directions, facts[taught], y, falls, np.ones(len(y)))
    logits = head.logits(people.hearts[tested], facts[tested])
    return score(people.responses[tested], expit(logits))


def shuffled(people: People, draw: int) -> People:
    """Deal responses and falls out anew, whoever teaches or is tested."""
    rng = np.random.default_rng(np.random.SeedSequence([draw, 0x5F0FF1E]))
    order = rng.permutation(len(people.responses))
    return replace(people, responses=people.responses[order], falls=people.falls[order])
