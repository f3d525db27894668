"""What models share: the scikit-learn face, and the checks of parameters, inputs and labels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator, ClassifierMixin

from dyssync.arrays import Floats
from dyssync.ecg import ECG
from dyssync.errors import ConfigError, ModelError, check_choice, check_range
from dyssync.image import Input
from dyssync.models.protocols import Choices, Labels, Presets, Ranges

MISSING_CLASS = "training part holds one class; responders and non-responders are needed"


class ProbabilityMixin(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """The scikit-learn face of a model that has `response_probability`.

    `LOCAL_PARAMS` are parameters that name something on this machine (a file of weights): a bundle
    does not keep them.
    """

    RANGES: ClassVar[Ranges] = {}
    CHOICES: ClassVar[Choices] = {}
    PRESETS: ClassVar[Presets] = {}
    LOCAL_PARAMS: ClassVar[tuple[str, ...]] = ()

    def check_settings(self, name: str) -> None:
        """Refuse parameters that a fit could only fail on, hours later.

        Raises:
            ConfigError: a number has no range or is out of it, a word is none of the choices.
        """
        for key, value in self.get_params().items():
            if key in self.CHOICES:
                check_choice(f"{name}.{key}", value, self.CHOICES[key])
            elif isinstance(value, (int, float)) and not isinstance(value, bool):
                if key not in self.RANGES:
                    raise ConfigError(
                        f"{name}.{key} is a number without a range; state it in "
                        f"{type(self).__name__}.RANGES"
                    )
                check_range(f"{name}.{key}", value, *self.RANGES[key])

    def work(self, n: int) -> float:
        """Return what a fit to `n` recordings costs: a look at each, unless a model says else."""
        return float(n)

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

    def portable_params(self) -> dict[str, Any]:
        """Return the constructor's parameters without what only this machine has."""
        return {k: None if k in self.LOCAL_PARAMS else v for k, v in self.get_params().items()}

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
