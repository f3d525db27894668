"""What every model is: a scikit-learn classifier whose X is a sequence of recordings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, Self, TypeAlias, runtime_checkable

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator, ClassifierMixin

from dyssync.arrays import Floats
from dyssync.ecg import ECG
from dyssync.errors import ModelError
from dyssync.image import Input
from dyssync.learning.training import UNWATCHED, Watch

Labels: TypeAlias = npt.NDArray[np.int64]
Labelled: TypeAlias = tuple[Sequence[Input], Labels]

MISSING_CLASS = "training part holds one class; responders and non-responders are needed"


@dataclass(frozen=True)
class State:
    """A fitted model as data: JSON-able values and the bytes of further files by name."""

    values: Mapping[str, Any]
    files: Mapping[str, bytes] = field(default_factory=dict)


@dataclass(frozen=True)
class Contributions:
    """What each feature added to each prediction; they sum to its log-odds.

    Attributes:
        names: (k,) of the features.
        values: (n, k) float64, the features; NaN where not defined.
        log_odds: (n, k) float64, what each added.
        base: (n,) float64, log-odds before any feature.
    """

    names: tuple[str, ...]
    values: Floats
    log_odds: Floats
    base: Floats


@runtime_checkable
class ExplainsItself(Protocol):
    """A model that can say exactly what each feature added."""

    def contributions(self, X: Sequence[Input]) -> Contributions:
        """Return the contributions to the log-odds of response."""


@runtime_checkable
class Rule(Protocol):
    """A model whose order of patients was fixed beforehand, and which can say why."""

    def statement(self, ecg: ECG) -> str:
        """Return the class or value that applies, its reason and what was assumed."""

    def limits(self, X: Sequence[ECG]) -> tuple[str, ...]:
        """Return what the rule lacks on these patients, a sentence each."""


@runtime_checkable
class ResponseModel(Protocol):
    """A model of response to CRT. The contract is tested over the registry, not inherited.

    `fit` learns only from `X`, `y` and, for early stopping, `validation`; what it learns ends in
    an underscore; fitting again forgets. Same seed, same numbers.
    """

    def fit(
        self,
        X: Sequence[Input],
        y: Labels,
        *,
        seed: int = 0,
        validation: Labelled | None = None,
        watch: Watch = UNWATCHED,
    ) -> Self:
        """Learn from recordings (n) and their responses, (n,) int, 0 or 1."""

    def response_probability(self, X: Sequence[Input]) -> Floats:
        """Return the probability of response, (n,) float64, 0-1."""

    def refit_params(self, fitted: Sequence[Self]) -> Mapping[str, Any]:
        """Return the parameters for a fit on all patients, with none left to stop early on."""

    def state(self) -> State:
        """Return what was learnt."""

    def restore(self, state: State) -> Self:
        """Take back what :meth:`state` returned."""

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Return the constructor's parameters."""

    def set_params(self, **params: Any) -> Self:
        """Set constructor parameters."""


class ProbabilityMixin(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """The scikit-learn face of a model that has `response_probability`.

    `TAKES_PICTURES` says whether :class:`~dyssync.formats.ECGImage` will do beside signals.
    """

    TAKES_PICTURES = False

    def predict_proba(self, X: Sequence[Input]) -> Floats:
        """Return (n, 2) float64: probability of non-response, of response."""
        p: Floats = self.response_probability(X)
        return np.column_stack([1 - p, p])

    def predict(self, X: Sequence[Input]) -> Labels:
        """Return (n,) int, 1 where the probability of response is at least one half."""
        return (np.asarray(self.response_probability(X)) >= 0.5).astype(np.int64)

    def refit_params(self, fitted: Sequence[Any]) -> Mapping[str, Any]:
        """Return the parameters for a fit on all patients: the same, unless a model says else."""
        return {}

    def _learned(self, attribute: str) -> Any:
        try:
            return getattr(self, attribute)
        except AttributeError as error:
            name = type(self).__name__
            raise ModelError(f"{name} is not fitted yet; call fit, or load a bundle") from error


def signals_of(X: Sequence[Input], purpose: str) -> list[ECG]:
    """Return `X` if all of it are signals.

    Args:
        X: recordings.
        purpose: what needs signals, the subject of the message.

    Raises:
        ModelError: some are pictures; names them.
    """
    pictures = [x.source.name for x in X if not isinstance(x, ECG)]
    if pictures:
        more = f" and {len(pictures) - 3} more" if len(pictures) > 3 else ""
        raise ModelError(
            f"{purpose} needs signals; {', '.join(pictures[:3])}{more} "
            f"{'is a picture' if len(pictures) == 1 else 'are pictures'}. "
            "Give signal files, or take resnet18, which looks at pictures"
        )
    return [x for x in X if isinstance(x, ECG)]


def check_labels(X: Sequence[Input], y: npt.ArrayLike) -> Labels:
    """Return `y` as (n,) int64 if it labels every recording with 0 or 1 and holds both.

    Raises:
        ModelError: it does not.
    """
    labels = np.asarray(y)
    if labels.shape != (len(X),):
        raise ModelError(f"{len(X)} recordings, labels of shape {labels.shape}; one each is needed")
    if not np.isin(labels, (0, 1)).all():
        raise ModelError("labels other than 0 and 1; 1 is a responder")
    if len(np.unique(labels)) < 2:
        raise ModelError(MISSING_CLASS)
    return labels.astype(np.int64)
