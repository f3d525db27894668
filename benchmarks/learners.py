"""The models whose learning is compared, by name, and the encoders that they start from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dyssync.arrays import Floats, Ints
from dyssync.errors import check_choice
from dyssync.evaluation.metrics import METRICS
from dyssync.image import Input
from dyssync.models import MODELS
from dyssync.models.protocols import ResponseModel
from dyssync.models.resnet import ResNet18
from dyssync.models.self_supervised import SelfSupervisedResNet18
from dyssync.models.simulation_supervised import SimulationResNet18
from dyssync.pretraining.encoder import Encoder, load_encoder, shipped_encoder
from fit_table import Fit, Score

FACTS = "+facts"  # after a name: with clinical facts; without it the ECG is alone
TUNED = "@tuned"  # after a name: all weights are tuned, in place of a head on a frozen trunk
TAKE_FACTS = ("ssl-resnet18", "sim-resnet18", "combined", "ridge", "lightgbm")
QUICK = ",".join(
    (
        "ssl-resnet18", f"ssl-resnet18{FACTS}", "sim-resnet18", f"sim-resnet18{FACTS}",
        f"combined{FACTS}", "ridge", f"ridge{FACTS}", "lightgbm", f"lightgbm{FACTS}", "logistic",
        "qrs-area",
    )
)  # fmt: skip
SLOW = "resnet18"  # minutes a fit
NAMES = (
    *QUICK.split(","), "combined", SLOW, f"ssl-resnet18{TUNED}", f"sim-resnet18{TUNED}"
)  # fmt: skip
# what a head's pictures take from its encoder's
LOOK = ("layout", "height", "width", "gain", "papers", "wear")
# which of the two encoders a model starts from
HEADS: Mapping[str, type[SelfSupervisedResNet18 | SimulationResNet18]] = {
    "ssl-resnet18": SelfSupervisedResNet18,
    "sim-resnet18": SimulationResNet18,
}
STARTS_AS: Mapping[str, str] = {**{name: name for name in HEADS}, "combined": "sim-resnet18"}
DIGITS = 12  # of a digest, to tell the encoders of a table apart
FIGURES = ("auroc", "accuracy", "ppv")
CUT = 0.5  # probability from which an answer is yes


@dataclass(frozen=True)
class Start:
    """An encoder that a model starts from.

    Attributes:
        name: "shipped", or that of its folder.
        folder: None for the shipped one.
        encoder: what lies there.
    """

    name: str
    folder: Path | None
    encoder: Encoder

    @property
    def digest(self) -> str:
        """The first digits of its weights' sha256."""
        return self.encoder.record.sha256[:DIGITS]


@dataclass(frozen=True)
class Learners:
    """Makes the models by name.

    Attributes:
        starts: encoders, by the model that starts from it; those that are needed.
    """

    starts: Mapping[str, Start]

    def fit(self, name: str, cohort: str, labels: str, patients: int, draw: int) -> Fit:
        """Return what the table calls a fit of a model."""
        start = self._start(name)
        held = (start.name, start.digest) if start else ("", "")
        return Fit(cohort, labels, name, *held, patients, draw)

    def make(self, name: str) -> ResponseModel:
        """Return an unfitted model; `resnet18` in the size of the encoders' pictures."""
        base, start = _base(name), self._start(name)
        settings: dict[str, Any] = {}
        if base in TAKE_FACTS:
            settings["clinical"] = name.endswith(FACTS)
        if start is not None and start.folder is not None:
            settings["encoder"] = str(start.folder)
            if base in HEADS:
                config = start.encoder.record.config
                settings |= {key: getattr(config, key) for key in LOOK}
                settings["training_layouts"] = ",".join(config.training_layouts)
        if TUNED in name:
            settings["head"] = "tuned"
        if base == SLOW:
            settings |= ResNet18.PRESETS["quick"]
        return MODELS[base](**settings)

    def look_at(self, X: Sequence[Input], labels: Ints, few: int) -> None:
        """Compute the features of recordings; call it inside ``keeping()``, before processes fork.

        Args:
            X: recordings.
            labels: 0/1; of no consequence.
            few: recordings, the first, among which both labels are.
        """
        for name in self.starts:
            self.make(name).fit(X[:few], labels[:few]).logits(X)

    def _start(self, name: str) -> Start | None:
        base = _base(name)
        return self.starts[STARTS_AS[base]] if base in STARTS_AS else None


def _base(name: str) -> str:
    """Return the name of the model alone."""
    return name.removesuffix(FACTS).removesuffix(TUNED)


@dataclass(frozen=True)
class Named:
    """What :func:`learners` makes of it: a few words, which travel to other machines.

    Attributes:
        names: of models.
        ssl: folder of the encoder of `ssl-resnet18`; None for the shipped one.
        sim: likewise of `sim-resnet18` and `combined`.
    """

    names: tuple[str, ...]
    ssl: Path | None = None
    sim: Path | None = None

    def made(self) -> Learners:
        """Return what makes these models; errors as of :func:`learners`."""
        return learners(self.names, self.ssl, self.sim)


def learners(names: Iterable[str], ssl: Path | None = None, sim: Path | None = None) -> Learners:
    """Return what makes these models.

    Args:
        names: of :data:`NAMES`.
        ssl: folder of the encoder that `ssl-resnet18` starts from; None for the shipped one.
        sim: likewise of `sim-resnet18` and `combined`.

    Raises:
        ConfigError: there is no such model.
        ModelError: an encoder cannot be read.
    """
    for name in names:
        check_choice("models", name, NAMES)
    bases = {_base(name) for name in names}
    needed = {STARTS_AS[base] for base in bases if base in STARTS_AS}
    folders = {"ssl-resnet18": ssl, "sim-resnet18": sim}
    return Learners({kind: _start(kind, folders[kind]) for kind in HEADS if kind in needed})


def _start(kind: str, folder: Path | None) -> Start:
    if folder is None:
        return Start("shipped", None, shipped_encoder(HEADS[kind].ENCODER))
    return Start(folder.name, folder, load_encoder(folder))


def score(y: Ints, p: Floats) -> Score:
    """Return what probabilities (n,) are worth for responses (n,)."""
    return Score(len(y), *(METRICS[name].compute(y, p, CUT) for name in FIGURES))
