"""What the page shows of one upload."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from dyssync.explanation.profiles import LeadProfiles
from dyssync.image import Input
from dyssync.inspection.findings import Findings
from dyssync.inspection.place import Place
from dyssync.prediction.predictor import Prediction
from dyssync.web.paper import Paper


@dataclass(frozen=True, eq=False)
class PageAnswer:
    """What the page shows of one upload.

    Attributes:
        read: the recording or picture.
        found: what was measured; None of a picture that could not be read off.
        prediction: of the models that were asked; None where they refused.
        refused: why they did; "" where they did not.
        rules: what guidelines, QRS area and strict LBBB say, by title; none where nothing was
            measured.
        profiles: where a network looked; None where none did.
        places: where the patient lies among those of the study, by what orders them.
        paper: what was read off a picture of a page; None of a signal.
        every: whether all models were asked.
    """

    read: Input
    found: Findings | None
    prediction: Prediction | None
    refused: str
    rules: Mapping[str, str]
    profiles: LeadProfiles | None
    places: Mapping[str, Place]
    paper: Paper | None = None
    every: bool = True

    @property
    def cautions(self) -> tuple[str, ...]:
        """Why the numbers may not hold: of the prediction, the measurements, what was read."""
        said = () if self.prediction is None else self.prediction.cautions
        measured = () if self.found is None else self.found.cautions
        read = () if self.paper is None else self.paper.cautions
        return tuple(dict.fromkeys((*said, *measured, *read)))
