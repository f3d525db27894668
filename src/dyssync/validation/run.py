"""`validate`: from a bundle and a cohort that it has not seen to what its answers are worth."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from dyssync import __version__
from dyssync.cohort import Cohort
from dyssync.cohort.cohort import read_cohort
from dyssync.cohort.digests import digest_of
from dyssync.errors import CohortError, ModelError, check_choice
from dyssync.evaluation.comparisons import ONE_NUMBER
from dyssync.evaluation.patient_groups import groups_of
from dyssync.models.protocols import takes_pictures
from dyssync.prediction.bundle import MANIFEST, Bundle
from dyssync.study.collect import judged_thresholds, silent_recordings
from dyssync.study.virtual import bayes_auroc
from dyssync.validation.answers import ALONE, answer_cohort
from dyssync.validation.case_mix import fact_spreads, precisions, predictors
from dyssync.validation.flow import flow_of
from dyssync.validation.grading import grade, subgroup_table
from dyssync.validation.record import Origin, ValidationRecord
from dyssync.validation.results import Validation
from dyssync.validation.updates import ClosedTest, closed_tests, update_table
from dyssync.validation.wording import cautions, verdict
from dyssync.workers import OnProgress, unwatched


@dataclass(frozen=True)
class Asked:
    """What is asked of a validation.

    Attributes:
        models: names; None asks all that can take the recordings. QRS area is always among them,
            where the bundle has it: the others are compared with it.
        update: whether a bundle with the updates that the closed test asks for is wanted.
        exclude_bad: leave recordings with problems out instead of refusing the cohort.
        command: how to get the same, for the record.
    """

    models: tuple[str, ...] | None = None
    update: bool = False
    exclude_bad: bool = False
    command: str = ""


def validate(
    bundle: Bundle,
    table: Path,
    asked: Asked,
    *,
    workers: int = 1,
    progress: Callable[[str], OnProgress] = lambda what: unwatched,
) -> Validation:
    """Grade the answers of a bundle to patients of another place.

    Args:
        bundle: opened.
        table: of the cohort, with outcomes.
        asked: of the validation.
        workers: processes; no number depends on it.
        progress: gives, for "cohort" and "answers", what is told how far it is.

    Raises:
        CohortError: the cohort cannot be used, or the bundle was developed or updated on it.
        ConfigError: the bundle has no model of that name.
        ModelError: a model cannot take these recordings, or is damaged.
    """
    for name in asked.models or ():
        check_choice("model of this bundle", name, bundle.members)
    cohort = read_cohort(
        table,
        seconds=bundle.about.seconds,
        exclude_problems=asked.exclude_bad,
        workers=workers,
        on_progress=progress("cohort"),
    )
    digest = digest_of(cohort.inputs)
    origin = origin_of(bundle)
    refuse_seen(bundle, origin, cohort.name, digest)
    names, left_out = choose_models(bundle, cohort, asked.models)
    said = answer_cohort(bundle, names, cohort, workers=workers, on_progress=progress("answers"))
    tested = closed_tests(said.table)
    thresholds = judged_thresholds(bundle.about.threshold)
    tables = {
        "answers": said.table,
        **grade(said.table, thresholds, bundle.about.threshold),
        "subgroups": subgroup_table(said.table, groups_of(said.facts, cohort.table)),
        "update": update_table(tested),
    }
    simulated, flow = bayes_auroc(table, cohort) is not None, flow_of(cohort)
    record = ValidationRecord(
        dyssync=__version__,
        bundle=origin,
        cohort=cohort.name,
        cohort_digest=digest,
        simulated=simulated,
        models=names,
        left_out=left_out,
        threshold=bundle.about.threshold,
        thresholds=thresholds,
        flow=flow,
        predictors=predictors(bundle, said.table),
        facts=fact_spreads(said.facts),
        precision=precisions(bundle, said.table, flow.share),
        verdicts=_verdicts(tested),
        cautions=(
            *cautions(origin, flow, cohort, left_out, simulated=simulated),
            *silent_recordings(cohort.inputs),
        ),
        updated=_updated(tested) if asked.update else (),
        command=asked.command,
    )
    return Validation(record, bundle, tested, tables)


def origin_of(bundle: Bundle) -> Origin:
    """Return where a bundle comes from, and what was changed since."""
    about = bundle.about
    return Origin(
        digest=hashlib.sha256((bundle.folder / MANIFEST).read_bytes()).hexdigest(),
        dyssync=bundle.manifest.dyssync,
        n_patients=about.n_patients,
        base_rate=about.base_rate,
        simulated=about.simulated,
        shuffled_labels=about.shuffled_labels,
        history={name: bundle.answering(name).history for name in bundle.members},
    )


def refuse_seen(bundle: Bundle, origin: Origin, name: str, digest: str) -> None:
    """Refuse the cohort that a bundle was developed on, or updated on.

    Raises:
        CohortError: it is that cohort.
    """
    if digest == bundle.about.cohort_digest:
        raise CohortError(
            f"{name}: this is the training cohort of the bundle; patients whom it has not seen are "
            "needed"
        )
    if any(digest in sentence for said in origin.history.values() for sentence in said):
        raise CohortError(
            f"{name}: this bundle was updated on this cohort; patients whom it has not seen are "
            "needed"
        )


def choose_models(
    bundle: Bundle, cohort: Cohort, asked: Sequence[str] | None
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the models that are graded, and those that cannot take the cohort's pictures.

    Raises:
        ModelError: one that was asked for cannot, or none can.
    """
    wanted = [n for n in bundle.members if asked is None or n in asked or n == ONE_NUMBER]
    if cohort.signals:  # also those that were read off pictures
        return tuple(wanted), ()
    able = tuple(n for n in wanted if takes_pictures(bundle.any_of(n)))
    blind = tuple(n for n in wanted if n not in able)
    unable = blind if not able else tuple(n for n in blind if n in (asked or ()))
    if unable:
        raise ModelError(
            f"{cohort.name}: holds pictures that could not be read off; "
            f"{', '.join(unable)} of this bundle need signals"
        )
    return able, blind


def _verdicts(tested: Sequence[ClosedTest]) -> Mapping[str, tuple[str, ...]]:
    both = {one.model for one in tested if one.members == ALONE}
    found: dict[str, list[str]] = {}
    for one in tested:
        found.setdefault(one.model, []).append(verdict(one, both=one.model in both))
    return {name: tuple(said) for name, said in found.items()}


def _updated(tested: Sequence[ClosedTest]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(one.model for one in tested if one.changes))
