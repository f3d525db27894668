"""Which models a request is about: the one that answers, what the page shows beside it, or all."""

from __future__ import annotations

from collections.abc import Sequence

from starlette.requests import Request

from dyssync.ecg import ECG
from dyssync.explanation.profiles import Onlookers
from dyssync.image import Input, ecg_of
from dyssync.models.protocols import LooksAtPictures
from dyssync.models.rules import QRSArea
from dyssync.prediction.predictor import Predictor
from dyssync.web.refusals import Refused

MODELS, ANSWER, ALL = "models", "answer", "all"  # in the query of a request, and what it may say


def wants_all(request: Request, *, usually: bool) -> bool:
    """Return whether a request asks for all models: `?models=all`, or `answer` for the one.

    Args:
        request: of page or API.
        usually: where it does not say.

    Raises:
        Refused: 422, it says something else.
    """
    said = request.query_params.get(MODELS, ALL if usually else ANSWER)
    if said not in (ANSWER, ALL):
        raise Refused(422, f"{MODELS} is none of {ANSWER}, {ALL}; correct it, or leave it out")
    return said == ALL


class Asking:
    """What is asked of the models of a bundle.

    Attributes:
        onlookers: the networks whose look is shown: those of the best graded model that has some;
            None in a bundle of none.
        area: the model that is QRS area itself, by which a patient's place is told; None of none.

    Args:
        predictor: with all models loaded.
    """

    def __init__(self, predictor: Predictor) -> None:
        self._predictor = predictor
        self.onlookers = _onlookers(predictor)
        self.area = _area(predictor)

    def one(self, x: Input) -> Sequence[str] | None:
        """Return the model that gives the one answer; None, for all, where none does.

        Args:
            x: a recording, or a picture that was tried to be read off.
        """
        answering = self._predictor.answering(x)
        return None if answering is None else [answering]

    def shown(self, x: Input) -> Sequence[str] | None:
        """Return the models that the page shows at once: of the answer, the look and the place."""
        one = self.one(x)
        if one is None:
            return None
        look = self.onlookers.name if self.onlookers is not None and isinstance(x, ECG) else None
        area = None if ecg_of(x) is None else self.area
        return list(dict.fromkeys([*one, *(name for name in (look, area) if name is not None)]))


def _onlookers(predictor: Predictor) -> Onlookers | None:
    for name in predictor.bundle.best_first:
        members = predictor.models[name].usual.models
        looking = [one for one in members if isinstance(one, LooksAtPictures)]
        if len(looking) == len(members):
            return Onlookers(name, looking)
    return None


def _area(predictor: Predictor) -> str | None:
    for name, model in predictor.models.items():
        rule = model.usual.models[0]
        if isinstance(rule, QRSArea) and not rule.cutoff:
            return name
    return None
