"""`run_study`: the main job from a configuration to a run folder."""

from __future__ import annotations

import platform
import shutil
import sys
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import numpy as np

from dyssync import __version__
from dyssync.cohort.cohort import Cohort, read_cohort
from dyssync.cohort.corpus import Corpus, check_apart, read_corpus
from dyssync.cohort.digests import clinical_digest, digest_of, responses_digest
from dyssync.cohort.splits import PARTS, Split, split_patients, split_table
from dyssync.errors import ConfigError
from dyssync.evaluation.thresholds import CHOSEN, THRESHOLD
from dyssync.learning.training import precision_here
from dyssync.models.protocols import Pretrained, TakesPictures
from dyssync.prediction.bundle import FINAL, About, save_bundle
from dyssync.prediction.training_data import describe_cohort
from dyssync.study.collect import collect
from dyssync.study.config import StudyConfig
from dyssync.study.grid import default_workers, run_tasks
from dyssync.study.plan import Material, cell_key, fit_all_key, plan
from dyssync.study.record import RUN, EnvironmentRecord, RunRecord
from dyssync.study.results import StudyResults, write_json
from dyssync.study.story import Story
from dyssync.study.virtual import bayes_auroc, builtin_cohort
from dyssync.whole import sweep

WORK, BUNDLE, FINISHED = "work", "bundle", "finished.json"
PACKAGES = (
    "numpy", "scipy", "pandas", "scikit-learn", "lightgbm", "torch", "monai",
    "lightning-fabric", "opencv-python-headless",
)  # fmt: skip


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
) -> Outcome:
    """Run a study, or go on with one that was interrupted.

    Args:
        config: decides every number.
        out: run folder; made, or gone on with if it holds the same study.
        story: is told the progress.
        workers: processes; None takes all cores. No number depends on it.
        force: begin anew where `out` holds something.
        command: how to get the same, for the report.
        cache: folder of what several studies share (encoders of a corpus).

    Raises:
        InputError: the cohort, the corpus or a setting cannot be used.
    """
    started = datetime.now(UTC)
    _check_folder(out, force)
    n_workers = workers or default_workers()
    if config.cohort is None:
        config = builtin_cohort(config, cache, story, n_workers)
    assert config.cohort is not None
    cohort = read_cohort(
        config.cohort,
        seconds=config.seconds,
        exclude_problems=config.exclude_bad,
        on_progress=story.progress("cohort"),
    )
    table = config.cohort
    config = suit_models(config, cohort, story)
    if config.shuffle_labels:
        cohort = shuffle_labels(cohort)
    splits = tuple(
        split_patients(cohort.responses, seed, config.fractions)
        for seed in range(1, config.seeds + 1)
    )
    _tell_cohort(cohort, splits, story)
    corpus = _read_corpus(config, cohort, story)
    record = _record(config, cohort, corpus, command, bayes_auroc(table, cohort))
    _prepare_folder(out, record, force)
    ecgs = None if corpus is None else corpus.ecgs
    material = Material(config, cohort, ecgs, splits, out / WORK, cache)
    tasks = plan(material)
    run_tasks(tasks, material, n_workers, story.working(tasks))
    story.say("writing tables, figures, report and bundle")
    results = collect(material, record, environment(started))
    results.write(out)
    _save_bundle(out, material, results)
    return Outcome(out, results)


def finish(outcome: Outcome) -> None:
    """Mark a run as finished and remove what only going on needed."""
    write_json(outcome.folder / FINISHED, {"finished": datetime.now(UTC).isoformat()})
    shutil.rmtree(outcome.folder / WORK)


def suit_models(config: StudyConfig, cohort: Cohort, story: Story) -> StudyConfig:
    """Return the configuration with the models that can work on what the cohort holds.

    Raises:
        ConfigError: the cohort holds pictures, and models that were asked for need signals.
    """
    if not cohort.holds_pictures:
        return config
    reasons = {name: reason for name in config.models if (reason := _blind(name, config))}
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


def _blind(name: str, config: StudyConfig) -> str:
    """Return why a model cannot be fitted to pictures; "" if it can."""
    model = config.make_model(name)
    if not isinstance(model, TakesPictures):
        return "signals needed"
    untaught = isinstance(model, Pretrained) and model.encoder is None and config.corpus is None
    return "a --corpus of signals needed to learn from first" if untaught else ""


def shuffle_labels(cohort: Cohort) -> Cohort:
    """Return the cohort with its responses dealt out anew: a study of it must find nothing."""
    responses = cohort.responses
    dealt = np.random.default_rng(np.random.SeedSequence([0x5AFF])).permutation(responses)
    anew = dict(zip(responses.index, dealt, strict=True))
    table = cohort.table.assign(responder=cohort.table["patient_id"].map(anew))
    return replace(cohort, table=table)


def _tell_cohort(cohort: Cohort, splits: tuple[Split, ...], story: Story) -> None:
    responses = cohort.responses
    story.say(
        f"{cohort.name}: {len(cohort.table)} recordings of {len(responses)} patients, "
        f"{responses.sum()} responders ({responses.mean():.1%}); {len(cohort.excluded)} excluded"
    )
    shares = (
        split_table(responses, splits).groupby(["part", "seed"])["responder"].agg(["mean", "size"])
    )
    for part in PARTS:
        held = shares.loc[part]
        story.say(
            f"  {part}: {held['size'].min()}-{held['size'].max()} patients, responders "
            f"{held['mean'].min():.1%}-{held['mean'].max():.1%} over {len(splits)} seeds"
        )


def _read_corpus(config: StudyConfig, cohort: Cohort, story: Story) -> Corpus | None:
    if config.corpus is None:
        return None
    corpus = read_corpus(
        config.corpus,
        seconds=config.seconds,
        on_progress=story.progress("corpus"),
    )
    # with ten seeds every patient is in a test part sooner or later
    patients = [str(p) for p in cohort.responses.index]
    check_apart(corpus.ecgs, patients, cohort.inputs)
    story.say(f"{corpus.name}: {len(corpus.ecgs)} unlabelled recordings")
    for problem in corpus.problems:
        story.say(f"  left out: {problem}")
    return corpus


def _record(
    config: StudyConfig, cohort: Cohort, corpus: Corpus | None, command: str, ceiling: float | None
) -> RunRecord:
    """Return what config.json says: settings, data fingerprints, how to reproduce."""
    return RunRecord.of(
        {
            **config.record(),
            # names, not paths: a run folder may be shared
            "cohort": cohort.name,
            "corpus": None if corpus is None else corpus.name,
            "cohort_digest": digest_of(cohort.inputs),
            "responses_digest": responses_digest(cohort.table),
            "clinical_digest": clinical_digest(cohort.signals),
            "corpus_digest": None if corpus is None else corpus.digest,
            "n_corpus": None if corpus is None else len(corpus.ecgs),
            "version": __version__,
            "differs_from_paper": config.differs_from_paper(),
            "command": command,
            "simulated": ceiling is not None,
            "bayes_auroc": ceiling,
            "pictures": cohort.holds_pictures,
        }
    )


def _check_folder(out: Path, force: bool) -> None:
    """Refuse a run folder that cannot be used, before anything is read or written.

    Raises:
        ConfigError: it is a file, or holds something else or a finished study.
    """
    if out.exists() and not out.is_dir():
        raise ConfigError(f"{out}: is a file; give --out a folder")
    sweep(out)
    held = out.is_dir() and any(out.iterdir())
    # only what a study writes is ever removed: a mistyped --out must not cost a home folder
    if held and not (out / RUN).is_file():
        raise ConfigError(f"{out}: the folder holds something else; give --out a new one")
    if (out / FINISHED).is_file() and not force:
        shutil.rmtree(out / WORK, ignore_errors=True)  # left by a kill at the very end
        raise ConfigError(f"{out}: holds a finished study; --force begins anew, or another --out")


def _prepare_folder(out: Path, record: RunRecord, force: bool) -> None:
    """Begin the run folder, or see that what it holds is the same study, unfinished.

    Raises:
        ConfigError: it holds another study, or cannot be made.
    """
    if (out / RUN).is_file() and not force:
        _check_same_study(out, record)
    try:
        if (out / RUN).is_file() and force:
            aside = out.with_name(f".{out.name}.old")
            shutil.rmtree(aside, ignore_errors=True)
            out.rename(aside)  # at once, so that a kill leaves the old run whole or none
            shutil.rmtree(aside)
        out.mkdir(parents=True, exist_ok=True)
        record.save(out / RUN)
        (out / WORK).mkdir(exist_ok=True)
    except OSError as error:
        raise ConfigError(f"{out}: cannot be written ({error.strerror}); choose --out") from error


def _check_same_study(out: Path, record: RunRecord) -> None:
    differing = record.differing(RunRecord.load(out / RUN))
    if differing:
        raise ConfigError(
            f"{out}: holds a study with other settings or data ({', '.join(differing)}); "
            "--force begins anew, or another --out"
        )


def environment(started: datetime) -> EnvironmentRecord:
    """Return versions and machine, without names of hosts, users or folders."""
    return EnvironmentRecord(
        dyssync=__version__,
        python=sys.version.split()[0],
        system=platform.system(),
        machine=platform.machine(),
        precision=precision_here(),
        started=started.isoformat(timespec="seconds"),
        packages={name: _version_of(name) for name in PACKAGES},
    )


def _version_of(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:  # installed under another name, such as opencv-python
        return "unknown"


def _save_bundle(out: Path, material: Material, results: StudyResults) -> None:
    config, cohort = material.config, material.cohort
    members = {
        name: {
            FINAL: material.folder / fit_all_key(name) / "model",
            **{
                f"seed-{s.seed:02d}": material.folder / cell_key(name, s.seed) / "model"
                for s in material.splits
            },
        }
        for name in config.models
    }
    metrics = results.tables["metrics"]
    chosen = metrics[(metrics["threshold_rule"] == CHOSEN) & (metrics["metric"] == THRESHOLD)]
    about = About(
        n_patients=len(cohort.responses),
        base_rate=float(cohort.responses.mean()),
        thresholds={str(n): float(g["value"].median()) for n, g in chosen.groupby("model")},
        seconds=config.seconds,
        training=describe_cohort(cohort),
        shuffled_labels=config.shuffle_labels,
        simulated=results.run.simulated,
        cohort_digest=results.run.cohort_digest,
    )
    save_bundle(out / BUNDLE, members, about)
