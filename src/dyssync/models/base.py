"""What models share: the scikit-learn face, and the checks of parameters, inputs and labels."""

from __future__ import annotations

import inspect
import math
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Self, cast

import numpy as np
import numpy.typing as npt

from dyssync.arrays import Floats
from dyssync.ecg import ECG
from dyssync.errors import ConfigError, ModelError, check_choice, check_range
from dyssync.image import Input, ecg_of
from dyssync.keeping import kept
from dyssync.models.protocols import Choices, Labels, Presets, Ranges, ResponseModel
from dyssync.signals.beats import detect_beats

MISSING_CLASS = "training part holds one class; responders and non-responders are needed"
# Of what is read, which may be anybody's: below it, no product or quotient of what follows
# overflows, which NumPy would tell on the terminal. What is learnt comes nowhere near.
LARGEST_LEARNT = 1e30
SMALLEST_SCALE = 1 / LARGEST_LEARNT


_keywords: dict[type, tuple[str, ...]] = {}  # a bundle has 130 members of ten classes


def keywords_of(kind: type) -> tuple[str, ...]:
    """Return the names of the keywords that a class is made with, sorted."""
    if kind not in _keywords:
        parameters = inspect.signature(kind).parameters.values()
        _keywords[kind] = tuple(sorted(p.name for p in parameters if p.kind is p.KEYWORD_ONLY))
    return _keywords[kind]


class ProbabilityMixin:
    """The scikit-learn face of a model that has `logits`.

    Ours, so that a prediction need not import scikit-learn, which takes a second; `clone` and, told
    what to score, `cross_val_score` and their like take it for a classifier.

    `LOCAL_PARAMS` are parameters that name something on this machine (a file of weights): a bundle
    does not keep them.
    """

    OWN_SCALE: ClassVar[bool] = False
    SHRUNKEN: ClassVar[bool] = False
    QUICK_TO_FIT: ClassVar[bool] = False
    RANGES: ClassVar[Ranges] = {}
    CHOICES: ClassVar[Choices] = {}
    PRESETS: ClassVar[Presets] = {}
    LOCAL_PARAMS: ClassVar[tuple[str, ...]] = ()

    @classmethod
    def _get_param_names(cls) -> list[str]:
        return list(keywords_of(cls))

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Return the constructor's parameters."""
        return {name: getattr(self, name) for name in self._get_param_names()}

    def set_params(self, **params: Any) -> Self:
        """Set constructor parameters.

        Raises:
            ConfigError: there is none of a name.
        """
        for name, value in params.items():
            check_choice(f"parameter of {type(self).__name__}", name, self._get_param_names())
            setattr(self, name, value)
        return self

    def __sklearn_tags__(self) -> Any:
        """Return what scikit-learn asks of a classifier."""
        from sklearn.base import BaseEstimator, ClassifierMixin

        return type("Classifier", (ClassifierMixin, BaseEstimator), {})().__sklearn_tags__()

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

    def response_probability(self, X: Sequence[Input]) -> Floats:
        """Return the probability of response, (n,) float64; the base rate for a NaN logit."""
        logits: Floats = np.asarray(cast(ResponseModel, self).logits(X), dtype=np.float64)
        base_rate: float = self._learned("base_rate_")
        with np.errstate(over="ignore"):
            p = 1 / (1 + np.exp(-logits))
        return np.asarray(np.where(np.isnan(logits), base_rate, p), dtype=np.float64)

    def predict_proba(self, X: Sequence[Input]) -> Floats:
        """Return (n, 2) float64: probability of non-response, of response."""
        p: Floats = self.response_probability(X)
        return np.column_stack([1 - p, p])

    def predict(self, X: Sequence[Input]) -> Labels:
        """Return (n,) int, 1 where the probability of response is at least one half."""
        return (np.asarray(self.response_probability(X)) >= 0.5).astype(np.int64)

    def portable_params(self) -> dict[str, Any]:
        """Return the constructor's parameters without what only this machine has."""
        return {k: None if k in self.LOCAL_PARAMS else v for k, v in self.get_params().items()}

    def _learned(self, attribute: str) -> Any:
        try:
            return getattr(self, attribute)
        except AttributeError as error:
            name = type(self).__name__
            raise ModelError(f"{name} is not fitted yet; call fit, or load a bundle") from error


@kept(most=20_000)
def has_heartbeat(x: Input) -> bool:
    """Return whether there is anything to judge; of a picture this is not known, so it may be."""
    return not isinstance(x, ECG) or bool(len(detect_beats(x.signal, x.fs)))


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


def ecgs_of(X: Sequence[Input], purpose: str) -> list[ECG | None]:
    """Return the signals of `X`, also those read off pictures; None where a page was refused.

    Args:
        X: recordings.
        purpose: what needs signals, the subject of the message.

    Raises:
        ModelError: some are pictures that nobody tried to read off; names them.
    """
    signals_of([x for x in X if isinstance(x, ECG) or not (x.ecg or x.unread)], purpose)
    return [ecg_of(x) for x in X]


def base_rate_of(labels: Labels, weights: Floats) -> float:
    """Return the share of responders, each recording with its weight."""
    return float(np.average(labels, weights=weights))


def log_odds(p: float) -> float:
    """Return the log-odds of a probability, above 0 and below 1."""
    return math.log(p / (1 - p))


def check_weights(weight: Floats | None, n: int) -> Floats:
    """Return the weights of `n` recordings, (n,) float64 with mean 1; all alike for None.

    Raises:
        ModelError: there are not `n`, or not all above 0.
    """
    if weight is None:
        return np.ones(n)
    weights: Floats = np.asarray(weight, dtype=np.float64)
    if weights.shape != (n,) or not (np.isfinite(weights) & (weights > 0)).all():
        raise ModelError(f"weights of {n} recordings are needed, each above 0")
    return np.asarray(weights / weights.mean())


def learnt_numbers(values: Mapping[str, Any], key: str, n: int) -> Floats:
    """Return what a model learnt of each of `n` things, (n,) float64.

    Raises:
        ModelError: there are not `n`, or not all are numbers that can be.
    """
    found: Floats = np.array(values[key], dtype=np.float64)
    if found.shape != (n,) or not (np.abs(found) < LARGEST_LEARNT).all():
        raise ModelError(f"{key}: {n} numbers are needed; copy the bundle again")
    return found


def learnt_number(values: Mapping[str, Any], key: str) -> float:
    """Return a number that a model learnt.

    Raises:
        ModelError: it is none.
    """
    value = values[key]
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if not is_number or not abs(value) < LARGEST_LEARNT:
        raise ModelError(f"{key}: a number is needed; copy the bundle again")
    return float(value)


def learnt_rate(values: Mapping[str, Any]) -> float:
    """Return the share of responders that a model learnt from, 0-1, neither.

    Raises:
        ModelError: it is none.
    """
    rate = learnt_number(values, "base_rate")
    if not 0 < rate < 1:
        raise ModelError("base_rate is no share of responders; copy the bundle again")
    return rate


def check_names(learnt: Sequence[str], known: Sequence[str]) -> None:
    """Refuse a model that was fitted to other features than this version computes.

    Raises:
        ModelError: the names differ.
    """
    if list(learnt) == list(known):
        return
    unknown, new = sorted(set(learnt) - set(known)), sorted(set(known) - set(learnt))
    raise ModelError(
        f"the model's features differ from this version's: {len(unknown)} unknown "
        f"({', '.join(unknown[:3])}), {len(new)} new ({', '.join(new[:3])}); "
        "use the version that made the bundle"
    )


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
