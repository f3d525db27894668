"""`run_study`: the main job from a configuration to a run folder."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from dyssync import __version__
from dyssync.cohort.cohort import Cohort, read_cohort
from dyssync.cohort.corpus import check_corpus
from dyssync.cohort.digests import clinical_digest, digest_of, responses_digest
from dyssync.cohort.rows import one_row_each
from dyssync.cohort.splits import PARTS, Split, fold_patients, split_patients, split_table
from dyssync.cohort.table import VOLUMES
from dyssync.errors import CohortError, ConfigError, counted
from dyssync.models.protocols import Pretrained, takes_pictures
from dyssync.prediction.bundle import About, Answering, Graded, save_bundle
from dyssync.prediction.training_data import describe_cohort
from dyssync.pretraining.material import Material as Unlabelled
from dyssync.pretraining.seen import Seen
from dyssync.study.best import best_first
from dyssync.study.collect import collect
from dyssync.study.config import CROSS_FIT, StudyConfig
from dyssync.study.grid import default_workers, run_tasks
from dyssync.study.plan import Material, cell_key, plan
from dyssync.study.record import RunRecord, environment
from dyssync.study.results import StudyResults
from dyssync.study.run_folder import WORK, owned_folder, prepare_folder
from dyssync.study.story import Story
from dyssync.study.tasks import MODEL, MODEL_ECG
from dyssync.study.unlabelled import corpus_of
from dyssync.study.virtual import bayes_auroc, builtin_cohort
from dyssync.whole import synced_later

BUNDLE = "bundle"
# Share of the pages of a cohort that must have been read off for models that measure: with fewer
# they would mostly say the base rate (chosen).
ENOUGH_READ = 0.5


@dataclass(frozen=True)
class Outcome:
    """A finished study: its folder and its tables."""

    folder: Path
    results: StudyResults


def run_study(
    config: StudyConfig,
    out: Path,
    story: Story,
    *,
    workers: int | None = None,
    force: bool = False,
    command: str = "",
    cache: Path,
    then: Callable[[Outcome], None] | None = None,
) -> Outcome:
    """Run a study, or go on with one that was interrupted.

    Args:
        config: decides every number.
        out: run folder; made, or gone on with if it holds the same study.
        story: is told the progress.
        workers: processes; None takes all cores, one with a GPU. No number depends on it.
        force: begin anew where `out` holds a study.
        command: how to get the same, for the report.
        cache: folder of what several studies share (encoders of a corpus).
        then: called with the outcome while the folder is still this process's own.

    Raises:
        InputError: the cohort, the corpus or a setting cannot be used, or another process works in
            `out`.
    """
    started = datetime.now(UTC)
    asked = _Asked(out, story, workers or default_workers(), force, command, cache)
    with owned_folder(out, force):
        material, record = _prepared(config, asked)
        tasks = plan(material)
        run_tasks(tasks, material, asked.workers, story.working(tasks))
        story.say("writing tables, figures, report and bundle")
        with synced_later():  # `finish` waits for the disk
            results, answering = collect(material, record, environment(started))
            results.write(out)
            _save_bundle(out, material, results, answering)
            outcome = Outcome(out, results)
            if then is not None:
                then(outcome)
    return outcome


@dataclass(frozen=True)
class _Asked:
    """What decides no number of a study: as the arguments of :func:`run_study`."""

    out: Path
    story: Story
    workers: int
    force: bool
    command: str
    cache: Path


def _prepared(config: StudyConfig, asked: _Asked) -> tuple[Material, RunRecord]:
    """Read what is studied and begin the run folder, or take it up."""
    story = asked.story
    if config.corpus is not None:
        check_corpus(config.corpus)  # a mistyped path is told before the cohort is read
    if config.cohort is None:
        config = builtin_cohort(config, asked.cache, story, asked.workers)
    assert config.cohort is not None
    cohort = read_cohort(
        config.cohort,
        seconds=config.seconds,
        exclude_problems=config.exclude_bad,
        workers=asked.workers,
        on_progress=story.progress("cohort"),
    )
    table = config.cohort
    config = suit_models(config, cohort, story)
    if config.shuffle_labels:
        cohort = shuffle_labels(cohort)
    splits = split_cohort(cohort, config)
    _tell_cohort(cohort, splits, story)
    corpus = _prepare_corpus(config, cohort, asked.cache, story, asked.workers)
    record = _record(config, cohort, corpus, asked.command, bayes_auroc(table, cohort))
    prepare_folder(asked.out, record, asked.force)
    n_corpus = None if corpus is None else len(corpus)
    work = asked.out / WORK
    return Material(config, cohort, n_corpus, splits, work, asked.cache, record.digest), record


def split_cohort(cohort: Cohort, config: StudyConfig) -> tuple[Split, ...]:
    """Return the splits of the protocol, a fit each, with seeds 1, 2, ..."""
    if config.protocol == CROSS_FIT:
        return fold_patients(cohort.responses, config.repeats, config.folds)
    return tuple(
        split_patients(cohort.responses, seed, config.fractions)
        for seed in range(1, config.seeds + 1)
    )


def suit_models(config: StudyConfig, cohort: Cohort, story: Story) -> StudyConfig:
    """Return the configuration with the models that can work on what the cohort holds.

    Raises:
        ConfigError: the cohort holds pictures, and models that were asked for need signals.
    """
    if not cohort.holds_pictures:
        return config
    read, n = len(cohort.signals), len(cohort.inputs)
    enough = read >= ENOUGH_READ * n
    if read < n:
        story.say(
            f"{cohort.name}: {n - read} of {n} pages could not be read off; models that measure, "
            "and networks of the median beat, know nothing of them"
        )
    reasons = {m: why for m in config.models if (why := _blind(m, config, measured=enough))}
    if not reasons:
        return config
    able = tuple(name for name in config.models if name not in reasons)
    blind = [
        f"{', '.join(n for n in reasons if reasons[n] == reason)} ({reason})"
        for reason in dict.fromkeys(reasons.values())
    ]
    text = f"{cohort.name} holds pictures, which cannot be used by {', '.join(blind)}"
    if "models" in config.model_fields_set:
        raise ConfigError(f"{text}. Leave them out: --models {','.join(able) or 'resnet18'}")
    story.say(f"{text}: left out")
    return StudyConfig.model_validate({**config.model_dump(), "models": able})


def _blind(name: str, config: StudyConfig, *, measured: bool) -> str:
    """Return why a model cannot be fitted to pictures; "" if it can.

    Args:
        name: of the model.
        config: of the study.
        measured: whether enough of the pictures were read off to be measured.
    """
    model = config.make_model(name)
    if isinstance(model, Pretrained) and config.corpus is None and model.pretrains(corpus=False):
        return "a --corpus of signals needed to learn from first"
    return "" if measured or takes_pictures(model) else "signals needed"


def shuffle_labels(cohort: Cohort) -> Cohort:
    """Return the cohort with its outcomes dealt out anew: a study of it must find nothing.

    The volumes go with the response: a model that learns their fall must find nothing, either.
    """
    patients = one_row_each(cohort.table)
    rng = np.random.default_rng(np.random.SeedSequence([0x5AFF]))
    dealt = patients.iloc[rng.permutation(len(patients))]
    changed = {}
    for column in ("responder", *(name for name in VOLUMES if name in cohort.table)):
        anew = dict(zip(patients["patient_id"], dealt[column], strict=True))
        changed[column] = cohort.table["patient_id"].map(anew)
    return replace(cohort, table=cohort.table.assign(**changed))


def _tell_cohort(cohort: Cohort, splits: tuple[Split, ...], story: Story) -> None:
    responses = cohort.responses
    story.say(
        f"{cohort.name}: {counted(len(cohort.table), 'recording')} of "
        f"{counted(len(responses), 'patient')}, "
        f"{counted(int(responses.sum()), 'responder')} ({responses.mean():.1%}); "
        f"{len(cohort.excluded)} excluded"
    )
    shares = (
        split_table(responses, splits).groupby(["part", "seed"])["responder"].agg(["mean", "size"])
    )
    for part in shares.index.unique("part").intersection(list(PARTS), sort=False):
        held = shares.loc[part]
        story.say(
            f"  {part}: {held['size'].min()}-{held['size'].max()} patients, responders "
            f"{held['mean'].min():.1%}-{held['mean'].max():.1%} over {len(splits)} fits"
        )


def _prepare_corpus(
    config: StudyConfig, cohort: Cohort, cache: Path, story: Story, workers: int
) -> Unlabelled | None:
    """Return the corpus, prepared on disk; None for none.

    Raises:
        CohortError: it cannot be used, or holds somebody who will be tested.
    """
    if config.corpus is None:
        return None
    corpus, problems = corpus_of(config, cache, story.progress("corpus"), workers)
    # every patient is in a test part sooner or later
    seen = Seen.of(corpus.keys("patients"), corpus.keys("recordings")).among(cohort.inputs)
    if seen:
        raise CohortError(
            f"corpus: {len(seen)} patients are also in a test part ({', '.join(seen)}); "
            "take their recordings out of the corpus"
        )
    story.say(f"{config.corpus.name}: {len(corpus)} unlabelled recordings")
    for problem in problems:
        story.say(f"  left out: {problem}")
    return corpus


def _record(
    config: StudyConfig,
    cohort: Cohort,
    corpus: Unlabelled | None,
    command: str,
    ceiling: float | None,
) -> RunRecord:
    """Return what config.json says: settings, data fingerprints, how to reproduce."""
    return RunRecord.of(
        {
            **config.record(),
            # names, not paths: a run folder may be shared
            "cohort": cohort.name,
            "corpus": None if config.corpus is None else config.corpus.name,
            "cohort_digest": digest_of(cohort.inputs),
            "responses_digest": responses_digest(cohort.table),
            "clinical_digest": clinical_digest(cohort.signals),
            "corpus_digest": None if corpus is None else corpus.digest,
            "n_corpus": None if corpus is None else len(corpus),
            "encoders": _encoders(config, None if config.corpus is None else config.corpus.name),
            "version": __version__,
            "differs_from_paper": config.differs_from_paper(),
            "command": command,
            "simulated": ceiling is not None,
            "bayes_auroc": ceiling,
            "pictures": cohort.holds_pictures,
        }
    )


def _encoders(config: StudyConfig, corpus: str | None) -> dict[str, str]:
    models = {name: config.make_model(name) for name in config.models}
    return {n: m.encoder_origin(corpus) for n, m in models.items() if isinstance(m, Pretrained)}


def _save_bundle(
    out: Path, material: Material, results: StudyResults, answering: Mapping[str, Answering]
) -> None:
    """Keep the fits that were graded, and how they answer; there is no other fit."""
    config, cohort = material.config, material.cohort
    models = {}
    for name, said in answering.items():
        cells = [material.folder / cell_key(name, split.seed) for split in material.splits]
        members = dict(zip(said.usual.members, [cell / MODEL for cell in cells], strict=True))
        if said.ecg_alone is not None:
            alone = [cell / MODEL_ECG for cell in cells]
            members |= dict(zip(said.ecg_alone.members, alone, strict=True))
        models[name] = Graded(members, said)
    about = About(
        n_patients=len(cohort.responses),
        base_rate=float(cohort.responses.mean()),
        threshold=config.threshold,
        seconds=config.seconds,
        training=describe_cohort(cohort),
        shuffled_labels=config.shuffle_labels,
        simulated=results.run.simulated,
        encoders=results.run.encoders,
        best_first=best_first(results.tables["answers"]),
        cohort_digest=results.run.cohort_digest,
    )
    save_bundle(out / BUNDLE, models, about)
