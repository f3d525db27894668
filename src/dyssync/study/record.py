"""What a run folder says of itself: the settings and data of the study, and where it was run."""

from __future__ import annotations

import hashlib
import json
import platform
import sys
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from datetime import datetime
from importlib.metadata import PackageNotFoundError, version
from typing import Any, TypeAlias

from dyssync import __version__
from dyssync.learning.training import precision_here
from dyssync.records import Record

RUN, ENVIRONMENT = "config.json", "environment.json"
PACKAGES = (
    "numpy", "scipy", "pandas", "scikit-learn", "lightgbm", "torch", "monai",
    "lightning-fabric", "opencv-python-headless",
)  # fmt: skip

# A value of a setting or of a model's parameter, as JSON has it.
Setting: TypeAlias = (
    bool | int | float | str | list[str] | list[float] | dict[str, bool | int | float | str] | None
)


@dataclass(frozen=True)
class RunRecord(Record):
    """Everything that decides the numbers of a run: equal records, equal numbers.

    The first fields are those of :class:`~dyssync.study.config.StudyConfig`, of one name each.

    Attributes:
        cohort: name of the cohort's table; no path, as a run folder may be shared.
        corpus: name of the corpus, or None.
        parameters: of every model, defaults included.
        cohort_digest: sha256 of patients and recordings, in their order.
        responses_digest: sha256 of who responded.
        clinical_digest: sha256 of what the table says beside the response.
        corpus_digest: sha256 of the corpus, or None.
        n_corpus: recordings in the corpus, or None.
        encoders: by model, in words, what the encoder that it starts from has learnt from.
        version: of dyssync.
        differs_from_paper: setting -> (value of preset "paper", value here).
        command: how to get the same.
        simulated: the patients are virtual.
        bayes_auroc: best AUROC that can be expected of virtual patients; None for real ones.
        pictures: the cohort holds pictures instead of signals.
    """

    cohort: str
    corpus: str | None
    models: tuple[str, ...]
    protocol: str
    repeats: int
    folds: int
    seeds: int
    preset: str
    fractions: tuple[float, float, float]
    seconds: float
    threshold: float
    refits: int
    gradcam_stage: str
    region_cut: float
    exclude_bad: bool
    shuffle_labels: bool
    parameters: Mapping[str, Mapping[str, Setting]]
    cohort_digest: str
    responses_digest: str
    clinical_digest: str
    corpus_digest: str | None
    n_corpus: int | None
    encoders: Mapping[str, str]
    version: str
    differs_from_paper: Mapping[str, tuple[Setting, Setting]]
    command: str
    simulated: bool
    bayes_auroc: float | None
    pictures: bool

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> RunRecord:
        """Return the record of JSON-able values, as it will read back.

        Raises:
            ModelError: a field is missing, unknown or of another type.
        """
        # a file name or command may hold bytes that are no text
        text = json.dumps(values, ensure_ascii=False).encode("utf-8", "replace")
        return cls.from_json(text, "settings of the study")

    @property
    def fingerprint(self) -> str:
        """The first 16 digits of `cohort_digest`, for people to compare."""
        return self.cohort_digest[:16]

    @property
    def digest(self) -> str:
        """sha256 of all but the command: equal of equal studies."""
        return hashlib.sha256(replace(self, command="").to_json().encode()).hexdigest()

    def differing(self, other: RunRecord) -> list[str]:
        """Return the fields in which two studies differ; the command does not count."""
        return sorted(
            field.name
            for field in fields(self)
            if field.name != "command" and getattr(self, field.name) != getattr(other, field.name)
        )


@dataclass(frozen=True)
class EnvironmentRecord(Record):
    """Versions and machine, without names of hosts, users or folders.

    Attributes:
        dyssync: version.
        python: version.
        system: of the machine, such as "Linux".
        machine: kind of processor, such as "x86_64".
        precision: in which networks are trained, such as "bf16-mixed".
        started: date and time of the run, ISO 8601 with its zone.
        packages: name -> version; "unknown" where it could not be found.
    """

    dyssync: str
    python: str
    system: str
    machine: str
    precision: str
    started: str
    packages: Mapping[str, str]


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
