"""One ECG in, probabilities with their context out: the same path for command line and page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from dyssync.cohort.recordings import refuse_unusable
from dyssync.ecg import ECG
from dyssync.errors import ModelError
from dyssync.image import ECGImage, Input
from dyssync.keeping import keeping
from dyssync.models.protocols import ExplainsItself, ResponseModel, Rule, TakesPictures
from dyssync.pages.evening import shrink_page
from dyssync.prediction.bundle import FINAL, Bundle
from dyssync.prediction.cautions import cautions


@dataclass(frozen=True)
class Contribution:
    """What one feature added to the log-odds of a prediction; value: None where not defined."""

    feature: str
    value: float | None
    log_odds: float


@dataclass(frozen=True)
class ModelPrediction:
    """What one model says of one recording.

    Attributes:
        probability: of response, 0-1, by the model fitted on all patients.
        seeds_mean, seeds_sd, seeds_low, seeds_high: of the same by the models of the seeds, which
            differ in training patients and chance; None where the bundle keeps none.
        threshold: chosen on validation patients (median over seeds); not used for `probability`.
        base_log_odds: before any feature; None where the model does not explain itself.
        contributions: of the features to the log-odds, largest first; those of exactly 0 left out.
        statement: what a rule says of this recording; None for a model that learns.
    """

    probability: float
    seeds_mean: float | None
    seeds_sd: float | None
    seeds_low: float | None
    seeds_high: float | None
    threshold: float
    base_log_odds: float | None = None
    contributions: tuple[Contribution, ...] = ()
    statement: str | None = None


@dataclass(frozen=True)
class Prediction:
    """What all models say of one recording.

    Attributes:
        file: name of the file read.
        base_rate: share of responders in the training cohort; a model that knows nothing says this.
        models: by name; a picture only has those that take pictures.
        cautions: why the numbers may not hold for this recording, a sentence each.
    """

    file: str
    base_rate: float
    models: Mapping[str, ModelPrediction]
    cautions: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON of command line and API."""
        return asdict(self)


class Predictor:
    """The models of a bundle, each loaded once.

    Args:
        bundle: opened with :func:`dyssync.prediction.bundle.load_bundle`.
        names: models to ask; None asks all.
    """

    def __init__(self, bundle: Bundle, names: Sequence[str] | None = None) -> None:
        self.bundle = bundle
        self.models: dict[str, dict[str, ResponseModel]] = {
            name: {member: bundle.model(name, member) for member in bundle.members[name]}
            for name in (bundle.members if names is None else names)
        }

    def predict(self, ecg: Input) -> Prediction:
        """Return the prediction for one recording or picture of one.

        Raises:
            CohortError: leads are flat, the recording is too short, the picture is no ECG page.
            ModelError: it is a picture, and none of the models takes pictures.
        """
        with keeping():  # the members share one drawing and one measurement, gone with the answer
            return self._predict(ecg)

    def _predict(self, ecg: Input) -> Prediction:
        about = self.bundle.about
        refuse_unusable(ecg, seconds=about.seconds)
        if isinstance(ecg, ECGImage):
            ecg = replace(ecg, pixels=shrink_page(ecg.pixels))
        asked, silent = self._who_takes(ecg)
        models = {}
        for name in asked:
            members = self.models[name]
            p = {m: float(model.response_probability([ecg])[0]) for m, model in members.items()}
            final = p.pop(FINAL)
            spread = np.array(list(p.values()))
            models[name] = ModelPrediction(
                probability=final,
                seeds_mean=float(spread.mean()) if len(spread) else None,
                seeds_sd=float(spread.std(ddof=1)) if len(spread) > 1 else None,
                seeds_low=float(spread.min()) if len(spread) else None,
                seeds_high=float(spread.max()) if len(spread) else None,
                threshold=about.thresholds[name],
                **_reasons(members[FINAL], ecg),
            )
        notes = cautions(ecg, about)
        if isinstance(ecg, ECGImage) and about.training.pages is None:
            notes = (*notes, *self._unused_to_pages(asked))
        if silent:
            notes = (*notes, f"{', '.join(silent)}: no answer, a signal is needed")
        return Prediction(ecg.source.name, about.base_rate, models, notes)

    def _who_takes(self, ecg: Input) -> tuple[list[str], list[str]]:
        """Return the models that can be asked about `ecg`, and those that cannot."""
        if isinstance(ecg, ECG):
            return list(self.models), []
        able = [n for n, m in self.models.items() if isinstance(m[FINAL], TakesPictures)]
        if not able:
            raise ModelError(
                f"{ecg.source.name}: is a picture; {', '.join(self.models)} of this bundle need a "
                "signal file"
            )
        return able, [name for name in self.models if name not in able]

    def _unused_to_pages(self, asked: Sequence[str]) -> list[str]:
        """Return a caution for models that learnt from clean drawings alone (docs/pictures.md)."""
        finals = {name: self.models[name][FINAL] for name in asked}
        clean = [n for n, m in finals.items() if isinstance(m, TakesPictures) and m.only_clean()]
        if not clean:
            return []
        return [
            f"{', '.join(clean)}: has only seen black traces on white; such models did worse on "
            "pages with grid and wear, which those of preset paper learn from"
        ]


def _reasons(model: ResponseModel, ecg: Input) -> dict[str, Any]:
    """Return what the model can say of why."""
    if not isinstance(ecg, ECG):
        return {}
    found: dict[str, Any] = {}
    if isinstance(model, ExplainsItself):
        parts = model.contributions([ecg])
        rows = zip(parts.names, parts.values[0], parts.log_odds[0], strict=True)
        given = [
            Contribution(name, float(value) if np.isfinite(value) else None, float(share))
            for name, value, share in rows
            if share != 0
        ]
        found["base_log_odds"] = float(parts.base[0])
        found["contributions"] = tuple(sorted(given, key=lambda c: -abs(c.log_odds)))
    if isinstance(model, Rule):
        found["statement"] = model.statement(ecg)
    return found
