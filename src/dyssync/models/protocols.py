"""What a model is, and what else one may be able to do.

A model is asked what it can do by its protocol, never by the name of an attribute or parameter:
``isinstance(model, LooksAtPictures)``. The contracts are tested over the registry, not inherited.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, Self, TypeAlias, runtime_checkable

from dyssync.arrays import Floats, Ints, Singles
from dyssync.ecg import ECG
from dyssync.image import Input
from dyssync.learning.training import UNWATCHED, Watch
from dyssync.rendering import LeadBox, Rendered

if TYPE_CHECKING:
    import torch

    from dyssync.learning.ahead import Look
    from dyssync.pretraining.config import PretrainingConfig
    from dyssync.pretraining.encoder import Encoder

Labels: TypeAlias = Ints  # (n,), 1 is a responder, 0 is none
Labelled: TypeAlias = tuple[Sequence[Input], Labels]
Ranges: TypeAlias = Mapping[str, tuple[float, float]]  # by parameter: smallest and largest value
Choices: TypeAlias = Mapping[str, Iterable[str]]  # by parameter: what the word can be
Presets: TypeAlias = Mapping[str, Mapping[str, Any]]  # by preset: parameters that it changes


@dataclass(frozen=True)
class State:
    """A fitted model as data.

    Attributes:
        values: JSON-able.
        files: bytes of further files by name.
        digests: their sha256, where somebody has worked them out already.
    """

    values: Mapping[str, Any]
    files: Mapping[str, bytes] = field(default_factory=dict)
    digests: Mapping[str, str] = field(default_factory=dict, compare=False)


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
class ResponseModel(Protocol):
    """A model of response to CRT.

    What it learns ends in an underscore; fitting again forgets. Same seed, same numbers.

    Attributes:
        OWN_SCALE: the logits of two fits have each their own centre and scale, so that they are
            standardised before they are averaged (networks). Of the others a logit is a log-odds.
        SHRUNKEN: a strong penalty makes the logits too small on purpose, so that a slope of about 1
            is not to be expected when they are recalibrated.
        QUICK_TO_FIT: a fit takes a second at most, so that 200 of them are no burden.
        RANGES: smallest and largest value of each parameter that is a number.
        CHOICES: what a parameter that is a word can be, where there is a list of it.
        PRESETS: parameters that a preset of the study changes, by preset.
    """

    OWN_SCALE: ClassVar[bool]
    SHRUNKEN: ClassVar[bool]
    QUICK_TO_FIT: ClassVar[bool]
    RANGES: ClassVar[Ranges]
    CHOICES: ClassVar[Choices]
    PRESETS: ClassVar[Presets]

    def check_settings(self, name: str) -> None:
        """Refuse parameters that a fit could only fail on; `name` is the model's in messages."""

    def work(self, n: int) -> float:
        """Return what a fit to `n` recordings costs, in pictures or their like."""

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
        """Learn from recordings (n) and their responses, (n,) int, 0 or 1.

        Args:
            X: recordings.
            y: responses.
            seed: of all that is drawn.
            fall: of LVESV in 6 months, (n,) %, NaN where a volume is missing; a model may learn it
                in place of the response that follows from it.
            weight: of each recording, (n,) above 0; None weighs all alike. Recordings of one
                patient share the weight of one.
            validation: to stop early on; None trains for a fixed time.
            watch: is told how far it is.
        """

    def logits(self, X: Sequence[Input]) -> Floats:
        """Return the log-odds of response, (n,) float64; NaN where it can say nothing."""

    def response_probability(self, X: Sequence[Input]) -> Floats:
        """Return the probability of response, (n,) float64, 0-1; the base rate for a NaN logit."""

    def state(self) -> State:
        """Return what was learnt."""

    def restore(self, state: State) -> Self:
        """Take back what :meth:`state` returned."""

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Return the constructor's parameters."""

    def portable_params(self) -> dict[str, Any]:
        """Return the constructor's parameters without what only this machine has."""

    def set_params(self, **params: Any) -> Self:
        """Set constructor parameters."""


@runtime_checkable
class UsesFacts(ResponseModel, Protocol):
    """A model that looks at clinical facts beside the ECG, where they are known."""

    def ecg_alone(self) -> Self | None:
        """Return it unfitted and without clinical facts; None where it looks at none anyway."""


@runtime_checkable
class TakesPictures(Protocol):
    """A model for which a user's own picture of a page may do beside a signal."""

    def takes_pictures(self) -> bool:
        """Return whether it does; not where what is drawn is the median beat of a signal."""

    def only_clean(self) -> bool:
        """Return whether all it learns from are clean drawings, which real pages are not."""


def takes_pictures(model: object) -> bool:
    """Return whether a user's own picture of a page will do for a model beside a signal."""
    return isinstance(model, TakesPictures) and model.takes_pictures()


@runtime_checkable
class LooksAtPictures(ResponseModel, TakesPictures, Protocol):
    """A network on pictures, which can be looked into."""

    @property
    def size(self) -> tuple[int, int]:
        """Height and width of its pictures, px."""

    def picture(self, x: Input) -> Rendered:
        """Return the first picture that it sees of a recording."""

    def lead_boxes(self) -> tuple[LeadBox, ...]:
        """Return the cell of each lead in :meth:`picture`, the same for every recording."""

    def evidence(self, X: Sequence[Input]) -> Singles:
        """Return what each cell of :meth:`picture` adds to the log-odds, (n, h, w) float32.

        The cells are those of the last stage. All together they add the log-odds of that picture
        but for what is the same for everybody, and for clinical facts.
        """

    def fitted_network(self) -> torch.nn.Module:
        """Return the network, with a submodule "encoder" of the stages of a ResNet.

        Raises:
            ModelError: it was read back, and is there to look with alone.
        """

    def untrained_network(self) -> torch.nn.Module:
        """Return a network of the same kind with random weights, from torch's own generator."""


@runtime_checkable
class Looks(Protocol):
    """A model that looks through networks, which can look ahead on other cores."""

    def looks(self) -> tuple[Look, ...]:
        """Return how it looks at a recording, see :mod:`dyssync.learning.ahead`."""


@runtime_checkable
class Pretrained(ResponseModel, Protocol):
    """A model whose network first learns from recordings without labels.

    Attributes:
        encoder: folder of the encoder that it starts from; None where one is still to be made.
        weights: file of weights that pretraining starts from; None starts at random.
    """

    encoder: str | None
    weights: str | None

    def pretraining_config(self) -> PretrainingConfig:
        """Return how an encoder for this model is pretrained."""

    def pretrains(self, *, corpus: bool) -> bool:
        """Return whether an encoder is still to be made for it, given a corpus or none."""

    def encoder_origin(self, corpus: str | None) -> str:
        """Return in words what the encoder of each fit learns from; `corpus` names one, or None."""

    def first_encoder(self) -> Encoder | None:
        """Return the encoder that pretraining goes on from; None for a random start."""

    def start_from(self, encoder: Path) -> Self:
        """Start from the encoder in this folder; return itself."""


@runtime_checkable
class ExplainsItself(Protocol):
    """A model that can say exactly what each feature added."""

    def contributions(self, X: Sequence[Input]) -> Contributions:
        """Return the contributions to the log-odds of response."""


@runtime_checkable
class Rule(Protocol):
    """A model whose order of patients was fixed beforehand, and which can say why.

    Attributes:
        facts: clinical facts that it looks at; where one is missing it says what it assumed.
    """

    facts: tuple[str, ...]

    def statement(self, ecg: ECG) -> str:
        """Return the class or value that applies, its reason and what was assumed."""

    def limits(self, X: Sequence[ECG]) -> tuple[str, ...]:
        """Return what the rule lacks on these patients, a sentence each."""
