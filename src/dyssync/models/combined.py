"""Picture, measurements and QRS area together: three numbers, and how much each counts.

With a few hundred patients no more than three inputs can be weighed honestly.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Self

import numpy as np

from dyssync.arrays import Floats, Ints
from dyssync.errors import ModelError
from dyssync.image import Input
from dyssync.keeping import keeping
from dyssync.learning.ahead import Look
from dyssync.learning.training import UNWATCHED, Watch
from dyssync.models.base import (
    ProbabilityMixin,
    base_rate_of,
    check_labels,
    check_weights,
    ecgs_of,
    learnt_number,
    learnt_numbers,
    learnt_rate,
    log_odds,
)
from dyssync.models.fall import falls_to_learn
from dyssync.models.protocols import (
    Choices,
    Contributions,
    Labelled,
    Labels,
    Looks,
    Ranges,
    ResponseModel,
    State,
)
from dyssync.models.ridge import Ridge
from dyssync.models.rules import QRSArea
from dyssync.models.simulation_supervised import SimulationResNet18

if TYPE_CHECKING:
    from dyssync.pretraining.config import PretrainingConfig
    from dyssync.pretraining.encoder import Encoder

INPUTS = ("picture", "measurements", "qrs-area")
FOLDS, FOLDS_SEED = 5, 0xC0B1


class Combined(ProbabilityMixin):
    """A non-negative ridge on what three models say of patients that they have not seen.

    The inputs are `sim-resnet18`, `ridge` on the measurements, and QRS area, which needs nobody to
    learn from.

    Args:
        encoder: as of :class:`~dyssync.models.pretrained.PretrainedResNet18`.
        weights: likewise; the encoder that ships is always there, so that there are none to give.
        clinical: whether `sim-resnet18` and `ridge` use clinical facts where they are known.
        target: "fall" of LVESV where the volumes are known, or "response" even there.
        penalty: L2, of the weight of a standardised input.
    """

    SHRUNKEN: ClassVar[bool] = True
    LOCAL_PARAMS: ClassVar[tuple[str, ...]] = ("encoder", "weights")
    CHOICES: ClassVar[Choices] = {"target": ("fall", "response")}
    RANGES: ClassVar[Ranges] = {"penalty": (0.0, 1e9)}

    def __init__(
        self,
        *,
        encoder: str | None = None,
        weights: str | None = None,
        clinical: bool = True,
        target: str = "fall",
        penalty: float = 10.0,
    ) -> None:
        self.encoder = encoder
        self.weights = weights
        self.clinical = clinical
        self.target = target
        self.penalty = penalty

    def _parts(self) -> dict[str, ResponseModel]:
        picture = SimulationResNet18(
            encoder=self.encoder,
            weights=self.weights,
            clinical=self.clinical,
            target=self.target,
        )
        ridge = Ridge(clinical=self.clinical, target=self.target)
        return dict(zip(INPUTS, (picture, ridge, QRSArea()), strict=True))

    def check_settings(self, name: str) -> None:
        """Refuse parameters that a fit could only fail on, those of the picture among them.

        Raises:
            ConfigError: one is unknown or out of range, or would not be looked at.
        """
        super().check_settings(name)
        SimulationResNet18(encoder=self.encoder, weights=self.weights).check_settings(name)

    def ecg_alone(self) -> Self | None:
        """Return it unfitted and without clinical facts; None where it looks at none anyway."""
        return type(self)(**{**self.get_params(), "clinical": False}) if self.clinical else None

    def pretrains(self, *, corpus: bool) -> bool:
        """Return whether an encoder for the picture is still to be made."""
        return self.encoder is None and corpus

    def encoder_origin(self, corpus: str | None) -> str:
        """Return in words what the encoder of the picture learns from."""
        return SimulationResNet18(encoder=self.encoder).encoder_origin(corpus)

    def first_encoder(self) -> Encoder | None:
        """Return the encoder that pretraining goes on from."""
        return SimulationResNet18().first_encoder()

    def start_from(self, encoder: Path) -> Self:
        """Start from the encoder in this folder; return itself."""
        self.encoder = str(encoder)
        return self

    def pretraining_config(self) -> PretrainingConfig:
        """Return how an encoder for the picture is pretrained."""
        return SimulationResNet18().pretraining_config()

    def work(self, n: int) -> float:
        """Return the pictures that a fit to `n` recordings looks at, in those that teach."""
        return float(SimulationResNet18().work(n))

    def fit(
        self,
        X: Sequence[Input],
        y: Labels,
        *,
        seed: int = 0,
        fall: Floats | None = None,
        weight: Floats | None = None,
        validation: Labelled | None = None,
        watch: Watch = UNWATCHED,
    ) -> Self:
        """Weigh what the inputs say of patients they have not seen, then fit them to all."""
        labels = check_labels(X, y)
        weights = check_weights(weight, len(X))
        ecgs_of(X, "combined")
        self.classes_ = np.array([0, 1])
        self.base_rate_ = base_rate_of(labels, weights)
        falls = None if fall is None else np.asarray(fall, dtype=np.float64)
        with keeping():
            unseen = self._unseen(X, labels, falls, weights, seed)
            self.parts_ = self._parts()
            for part in self.parts_.values():
                part.fit(X, labels, seed=seed, fall=falls, weight=weights)
        from dyssync.models.stacking import stack_inputs

        learnt = falls_to_learn(falls, labels) if self.target == "fall" else None
        stack = stack_inputs(unseen, labels, learnt, weights, self.penalty)
        self.weights_: Floats = stack.weights
        self.intercept_ = stack.intercept
        return self

    def _unseen(
        self, X: Sequence[Input], labels: Labels, falls: Floats | None, weights: Floats, seed: int
    ) -> Floats:
        """Return out-of-fold logits, (n, inputs); the base rate's where an input says nothing."""
        found = np.full((len(X), len(INPUTS)), np.nan)
        for train, test in _folds(X, labels):
            for k, part in enumerate(self._parts().values()):
                part.fit(
                    [X[i] for i in train],
                    labels[train],
                    seed=seed,
                    fall=None if falls is None else falls[train],
                    weight=weights[train],
                )
                found[test, k] = part.logits([X[i] for i in test])
        return np.where(np.isnan(found), log_odds(self.base_rate_), found)

    def _inputs(self, X: Sequence[Input]) -> Floats:
        parts: dict[str, ResponseModel] = self._learned("parts_")
        with keeping():
            found = np.column_stack([part.logits(X) for part in parts.values()])
        silent = np.isnan(found).all(axis=1, keepdims=True)
        known = np.where(np.isnan(found), log_odds(self.base_rate_), found)
        return np.where(silent, np.nan, known)

    def logits(self, X: Sequence[Input]) -> Floats:
        """Return the log-odds of response, (n,) float64; NaN where no input says anything."""
        ecgs_of(X, "combined")
        weights = self._learned("weights_")
        return np.asarray(self._inputs(X) @ weights + self.intercept_, dtype=np.float64)

    def looks(self) -> tuple[Look, ...]:
        """Return how its network looks at a recording."""
        parts: dict[str, ResponseModel] = self._learned("parts_")
        return tuple(look for p in parts.values() if isinstance(p, Looks) for look in p.looks())

    def contributions(self, X: Sequence[Input]) -> Contributions:
        """Return what each input adds, beside the log-odds of the base rate that it would say."""
        inputs = self._inputs(X)
        neutral = log_odds(self.base_rate_)
        shares = (inputs - neutral) * self.weights_
        base = np.full(len(shares), self.intercept_ + neutral * float(self.weights_.sum()))
        return Contributions(INPUTS, inputs, shares, base)

    def state(self) -> State:
        """Return the weights and what each input learnt."""
        parts: dict[str, ResponseModel] = self._learned("parts_")
        states = {name: part.state() for name, part in parts.items()}
        values = {
            "base_rate": self.base_rate_,
            "weights": [float(w) for w in self.weights_],
            "intercept": self.intercept_,
            "inputs": {name: dict(state.values) for name, state in states.items()},
        }
        files = {n: data for state in states.values() for n, data in state.files.items()}
        return State(values, files)

    def restore(self, state: State) -> Self:
        """Take the weights and the inputs back."""
        self.classes_ = np.array([0, 1])
        self.base_rate_ = learnt_rate(state.values)
        self.weights_ = learnt_numbers(state.values, "weights", len(INPUTS))
        self.intercept_ = learnt_number(state.values, "intercept")
        held = state.values["inputs"]
        self.parts_ = self._parts()
        for name, part in self.parts_.items():
            part.restore(State(held[name], state.files, state.digests))
        return self


def _folds(X: Sequence[Input], labels: Labels) -> list[tuple[Ints, Ints]]:
    """Return folds of the recordings; those of one patient lie in one.

    Who has no id is a patient of his own.
    """
    from sklearn.model_selection import StratifiedGroupKFold

    groups = np.unique([x.patient_id or f"#{i}" for i, x in enumerate(X)], return_inverse=True)[1]
    folds = min(FOLDS, int(np.bincount(labels, minlength=2).min()))
    if folds < 2:
        raise ModelError("combined: two responders and two non-responders are needed at least")
    dealt = StratifiedGroupKFold(folds, shuffle=True, random_state=FOLDS_SEED)
    return list(dealt.split(np.zeros(len(X)), labels, groups))
