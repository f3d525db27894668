"""One ECG in, probabilities with their context out: the same path for command line and page."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from dyssync.cohort.clinical import facts_of
from dyssync.cohort.usable import refuse_unusable
from dyssync.errors import ModelError, check_choice
from dyssync.evaluation.conformal import conformal_answers
from dyssync.image import ECGImage, Input, ecg_of
from dyssync.keeping import keeping
from dyssync.learning.ahead import looking_ahead
from dyssync.learning.stored import opening_networks
from dyssync.models.protocols import (
    Looks,
    ResponseModel,
    Rule,
    TakesPictures,
    takes_pictures,
)
from dyssync.pages.reading_off import read_off
from dyssync.prediction.beside import SHORT, statements
from dyssync.prediction.bundle import Bundle
from dyssync.prediction.cautions import cautions
from dyssync.prediction.members import (
    BASE_RATE,
    WITH_FACTS,
    Answerer,
    Members,
    load_answerer,
)
from dyssync.prediction.pictures import asked_about, page_notes


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
        probability: of response, 0-1: the recalibrated mean of all members.
        basis: "ECG and clinical facts", "ECG alone", or "base rate" where nothing can be said.
        venn_abers_low, venn_abers_high: what calibration alone leaves open, 0-1; None with "base
            rate". It is no confidence interval for the patient.
        members_sd: of the probability by each member alone, which differ in training patients and
            chance: how far the answer depends on who was in the study; None with one member.
        set_80, set_90: "responder", "non-responder", or "defer": the outcome that is left where
            the other one is excluded at 80 or 90 % in each class; "defer" where both are possible.
        base_log_odds: before any feature; None where the model does not explain itself.
        contributions: of the features to the log-odds, largest first; those of exactly 0 left out.
        statement: what a rule says of this recording; None for a model that learns.
    """

    probability: float
    basis: str
    venn_abers_low: float | None
    venn_abers_high: float | None
    members_sd: float | None
    set_80: str
    set_90: str
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
        encoders: by model that starts from one, what it has learnt from, in words.
        answer: the model that gives the one answer; None where none of those asked does.
        beside: what the rules that need no patients to learn from say, by their names.
    """

    file: str
    base_rate: float
    models: Mapping[str, ModelPrediction]
    cautions: tuple[str, ...]
    encoders: Mapping[str, str]
    answer: str | None = None
    beside: Mapping[str, str] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON of command line and API."""
        return asdict(self)


class Predictor:
    """The models of a bundle, each loaded once.

    Args:
        bundle: opened with :func:`dyssync.prediction.bundle.load_bundle`.
        names: models to ask; None asks all.
        lazy: load a model when it is first asked; for recordings of which one answer will do.
        once: for a single recording: as lazy, and nothing is kept ready for another.

    Raises:
        ModelError: no model is named, or a member is damaged.
        ConfigError: a name is none of the bundle's.
    """

    def __init__(
        self,
        bundle: Bundle,
        names: Sequence[str] | None = None,
        *,
        lazy: bool = False,
        once: bool = False,
    ) -> None:
        self.bundle = bundle
        self.names = tuple(bundle.members if names is None else names)
        if not self.names:
            raise ModelError("no model is named; name one of the bundle's, or ask all")
        for name in self.names:
            check_choice("model of this bundle", name, bundle.members)
        self.models: dict[str, Answerer] = {}
        self._once = once
        if not (lazy or once):
            with opening_networks() as begin:
                for name in self.names:
                    self.models[name] = load_answerer(self.bundle, name)
                    begin()

    def answering(self, x: Input) -> str | None:
        """Return the model that gives the one answer to a recording; None where none does.

        Args:
            x: the recording; a picture after :func:`dyssync.pages.reading_off.read_off`.
        """
        for name in self.bundle.best_first:
            if name in self.names and self._takes(name, x):
                return name
        return None

    def predict(self, x: Input, names: Sequence[str] | None = None) -> Prediction:
        """Return the prediction for one recording or picture of one, which is read off first.

        Args:
            x: the recording.
            names: of its models, those to ask; None asks all.

        Raises:
            CohortError: leads are flat, the recording is too short, the picture is no ECG page.
            ModelError: it is a picture that could not be read off, and none takes pictures.
        """
        with keeping():  # the members share one drawing and one measurement, gone with the answer
            return self._predict(x, self.names if names is None else tuple(names))

    def _predict(self, x: Input, names: tuple[str, ...]) -> Prediction:
        about = self.bundle.about
        refuse_unusable(x, seconds=about.seconds)
        whole = read_off(x) if isinstance(x, ECGImage) else x
        shown = asked_about(whole, about)
        asked, silent = self._who_takes(shown, names)
        models = self._say_all(shown, asked)
        notes = (*page_notes(whole, shown), *cautions(shown, about))
        if isinstance(shown, ECGImage) and about.training.pages is None:
            notes = (*notes, *self._unused_to_pages(shown, asked))
        if isinstance(shown, ECGImage):
            notes = (*notes, *_unused_facts(shown, models))
        if updated := [name for name in asked if self.models[name].updated]:
            notes = (*notes, f"{', '.join(updated)}: updated on another cohort after the study")
        if silent:
            notes = (*notes, f"{', '.join(silent)}: no answer, a signal is needed")
        encoders = {name: said for name, said in about.encoders.items() if name in models}
        answer = self.answering(shown)
        return Prediction(
            file=x.source.name,
            base_rate=about.base_rate,
            models=models,
            cautions=notes,
            encoders=encoders,
            answer=answer if answer in models else None,
            beside=statements(shown, SHORT),
        )

    def _say_all(self, x: Input, asked: Sequence[str]) -> dict[str, ModelPrediction]:
        """Return what models say, in the order asked.

        Networks look while others are read, and while others measure.
        """
        with looking_ahead(x, once=self._once) as begin:

            def look(member: ResponseModel) -> None:
                if isinstance(member, Looks):
                    begin(member.looks())

            for name in asked:
                if name not in self.models:
                    self.models[name] = load_answerer(self.bundle, name, lazy=True)
                members, _ = self.models[name].who(x, look)
                for member in members.models:
                    look(member)
            measuring_first = sorted(asked, key=lambda name: isinstance(self._one(name, x), Looks))
            found = {name: _say(self.models[name], x) for name in measuring_first}
        return {name: found[name] for name in asked}

    def _who_takes(self, x: Input, names: Sequence[str]) -> tuple[list[str], list[str]]:
        """Return which models can be asked about a recording, and which cannot."""
        able = [name for name in names if self._takes(name, x)]
        if not able and isinstance(x, ECGImage):
            raise ModelError(
                f"{x.source.name}: is a picture; {', '.join(names)} of this bundle need a "
                f"signal file. {x.unread}"
            )
        return able, [name for name in names if name not in able]

    def _takes(self, name: str, x: Input) -> bool:
        """Return whether a model of the bundle can be asked about a recording."""
        return ecg_of(x) is not None or takes_pictures(self.bundle.any_of(name))

    def _one(self, name: str, x: Input) -> ResponseModel:
        """Return one of the members that answer: what it can do, all of a model can."""
        return self.models[name].who(x)[0].models[0]

    def _unused_to_pages(self, x: Input, asked: Sequence[str]) -> list[str]:
        """Return a caution for models that learnt from clean drawings alone (docs/pictures.md)."""
        some = {name: self._one(name, x) for name in asked}
        clean = [n for n, m in some.items() if isinstance(m, TakesPictures) and m.only_clean()]
        if not clean:
            return []
        return [
            f"{', '.join(clean)}: has only seen black traces on white; such models did worse on "
            "pages with grid and wear, which those of preset paper learn from"
        ]


def _unused_facts(x: ECGImage, models: Mapping[str, ModelPrediction]) -> list[str]:
    """Return a caution where facts are known and no model that takes pictures goes by any."""
    known = facts_of(x)
    if not known or any(said.basis == WITH_FACTS for said in models.values()):
        return []
    return [f"not used: {', '.join(known)}; no model asked of a picture goes by clinical facts"]


def _say(model: Answerer, x: Input) -> ModelPrediction:
    members, basis = model.who(x)
    found = members.answer([x])
    silent = bool(found.silent[0])
    spread = found.members[0]
    low, high = found.venn_abers[0].tolist()
    return ModelPrediction(
        probability=float(found.p[0]),
        basis=BASE_RATE if silent else basis,
        venn_abers_low=None if math.isnan(low) else low,
        venn_abers_high=None if math.isnan(high) else high,
        members_sd=float(spread.std(ddof=1)) if len(spread) > 1 and not silent else None,
        set_80=conformal_answers(found.p_values, 0.8)[0],
        set_90=conformal_answers(found.p_values, 0.9)[0],
        **_reasons(members, x, silent),
    )


def _reasons(members: Members, x: Input, silent: bool) -> dict[str, Any]:
    """Return what the model can say of why."""
    ecg = ecg_of(x)
    if ecg is None or silent:
        return {}
    found: dict[str, Any] = {}
    parts = members.contributions(x)
    if parts is not None:
        rows = zip(parts.names, parts.values[0], parts.log_odds[0], strict=True)
        given = [
            Contribution(name, float(value) if np.isfinite(value) else None, float(share))
            for name, value, share in rows
            if share != 0
        ]
        found["base_log_odds"] = float(parts.base[0])
        found["contributions"] = tuple(sorted(given, key=lambda c: -abs(c.log_odds)))
    rule = members.models[0]
    if isinstance(rule, Rule):
        found["statement"] = rule.statement(ecg)
    return found
