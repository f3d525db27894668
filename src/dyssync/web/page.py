"""The page: what one upload holds and what the bundle says of it, as HTML without inline script."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dyssync import __version__
from dyssync.cohort.clinical import CLINICAL
from dyssync.ecg import ECG
from dyssync.formats import FORMATS
from dyssync.formats.reading.recording import UNITS
from dyssync.inspection.answer import RESEARCH_ONLY, frequencies, of_100
from dyssync.inspection.tracing import tracing
from dyssync.prediction.short import short_answer
from dyssync.report.wording import count
from dyssync.web.answers import Answers
from dyssync.web.bars import bars_of
from dyssync.web.facts import TITLES, shown_facts
from dyssync.web.levels import LEVELS, verdict_of
from dyssync.web.measured import main_rows, rest_rows
from dyssync.web.page_answer import PageAnswer
from dyssync.web.reasons import lead_chips, reasons_of, seen_by_lead
from dyssync.web.refusals import Refused
from dyssync.web.uploads import MAX_BODY_BYTES

if TYPE_CHECKING:
    from jinja2 import Environment

TEMPLATES = ("page.html.j2", "form.html.j2", "answer.html.j2", "batch.html.j2")
VERDICTS: Mapping[str, str] = {
    "defer": "Defer: both outcomes stay possible",
    "responder": "Called responder",
    "non-responder": "Called non-responder",
}


def static_folder() -> Path:
    """Return the folder of scripts and styles."""
    return Path(str(files("dyssync.web").joinpath("static")))


def report_style() -> Path:
    """Return the folder of the report's style, which the page shares."""
    return Path(str(files("dyssync.report").joinpath("assets")))


class Page:
    """Renders the page of one server.

    Args:
        answers: of one bundle.
        needs_token: whether a field for the token is shown.
    """

    def __init__(self, answers: Answers, *, needs_token: bool) -> None:
        self._answers = answers
        about = answers.bundle.about
        self._always = {
            "about": about,
            "origin": _origin(answers),
            "needs_token": needs_token,
            "digest": answers.digest,
            "version": __version__,
            "research_use": RESEARCH_ONLY,
            "formats": list(FORMATS),
            "units": UNITS,
            "columns": CLINICAL,
            "titles": TITLES,
            "level": answers.level,
            "other_level": LEVELS[0] if answers.level != LEVELS[0] else LEVELS[1],
            "verdicts": VERDICTS,
            "most_mb": MAX_BODY_BYTES // 1024**2,
        }
        for name in TEMPLATES:  # read and compiled before the first patient comes
            _templates().get_template(name)

    def batch(self) -> str:
        """Return the page for several recordings; its script asks the API for one after another."""
        return _templates().get_template("batch.html.j2").render(**self._always)

    def empty(self) -> str:
        """Return the page before anything was sent."""
        return self._render(refused=None, answer=None)

    def refused(self, error: Refused) -> str:
        """Return the page that says why an upload is not answered."""
        return self._render(refused=error.text, answer=None)

    def answered(self, found: PageAnswer, typed: Mapping[str, str]) -> str:
        """Return the page of one upload.

        Args:
            found: all about it.
            typed: clinical facts as they were typed.
        """
        return self._render(refused=None, answer=self._context(found, typed))

    def _render(self, **what: Any) -> str:
        return _templates().get_template("page.html.j2").render(**self._always, **what)

    def _context(self, found: PageAnswer, typed: Mapping[str, str]) -> dict[str, Any]:
        said = found.prediction
        short = None
        if said is not None:
            short = short_answer(said)
        reasons = () if short is None else reasons_of(short.said)
        shared: dict[str, Any] = {
            "read": found.read,
            "is_signal": isinstance(found.read, ECG),
            "paper": found.paper,
            "cautions": found.cautions,
            "refused": found.refused,
            "facts": shown_facts(found.read, typed),
            "prediction": said,
            "every": found.every,
            "short": short,
            "sentence": "" if short is None else frequencies(short),
            "verdict": None if short is None else verdict_of(short, self._answers.level),
            "reasons": reasons,
            "rules": found.rules,
            "profiles": found.profiles,
            "places": {title: (one, bars_of(one)) for title, one in found.places.items()},
            "seen": seen_by_lead(found.profiles),
            "tracing": None,
            "found": found.found,
        }
        if found.found is None:
            return shared
        rows = {"main_rows": main_rows(found.found), "rest_rows": rest_rows(found.found)}
        if found.paper is not None:  # what a page shows is looked at on the page
            return {**shared, **rows}
        drawn = tracing(found.found, found.profiles)
        drawn["chips"] = None if short is None else lead_chips(short.said)
        return {**shared, **rows, "tracing": _data_block(drawn)}


def _origin(answers: Answers) -> str:
    """Say where the models come from and whether they were tried elsewhere."""
    about = answers.bundle.about
    kind = "simulated patient" if about.simulated else "patient"
    elsewhere = any(one.updated for one in answers.predictor.models.values())
    tried = "updated on another cohort" if elsewhere else "not known to be validated elsewhere"
    return f"models developed on {count(about.n_patients, kind)}; {tried}"


def _data_block(value: Mapping[str, Any]) -> str:
    """Return JSON that cannot end the element it stands in."""
    return json.dumps(value, separators=(",", ":"), allow_nan=False).replace("<", "\\u003c")


@cache
def _templates() -> Environment:
    from jinja2 import Environment, PackageLoader, StrictUndefined
    from markupsafe import Markup

    environment = Environment(
        loader=PackageLoader("dyssync.web"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["data"] = Markup
    environment.filters["of_100"] = of_100
    return environment
