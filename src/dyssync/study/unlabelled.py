"""The ECGs without a label that a study's networks learn from first."""

from __future__ import annotations

from pathlib import Path

from dyssync.pretraining.material import Material
from dyssync.pretraining.preparing import prepare_material
from dyssync.study.config import StudyConfig
from dyssync.workers import OnProgress, unwatched


def corpus_of(
    config: StudyConfig, cache: Path, on_progress: OnProgress = unwatched, workers: int = 1
) -> tuple[Material, list[str]]:
    """Return the corpus of a study, prepared once for all studies, and what was left out of it.

    Args:
        config: of a study that has one.
        cache: folder of what several studies share.
        on_progress: called with how many pieces are prepared, of how many.
        workers: processes.

    Raises:
        CohortError: it cannot be read, or nothing in it can be used.
    """
    assert config.corpus is not None
    return prepare_material(
        [config.corpus],
        cache / "corpora",
        seconds=config.seconds,
        workers=workers,
        on_progress=on_progress,
    )
