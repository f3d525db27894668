"""One page for people: the answer, what it rests on, the tracing true to scale. A4, landscape."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from dyssync.ecg import ECG
from dyssync.exports.case import NO_ANSWER, Case
from dyssync.inspection.answer import RESEARCH_ONLY, sentences
from dyssync.inspection.findings import SHOWN_AS
from dyssync.inspection.page import page_header
from dyssync.inspection.wording import NONE, conduction, measured, rhythm
from dyssync.layouts import LAYOUTS
from dyssync.rendering import PageOptions
from dyssync.rendering.page import Text
from dyssync.rendering.pdf import BOLD, BOLD_WIDER, PLAIN, drawn_page, pdf_file, wrapped, written
from dyssync.rendering.vector import plan_vector

SIZE_MM = (297.0, 210.0)
MARGIN_MM, FOOT_MM = 12.0, 6.0
LAYOUT, STYLE = "3x4+II", "pink"
BLACK, GREY, RED = (0, 0, 0), (90, 90, 90), (150, 20, 20)
LEAST_TRACING_MM = 100.0  # four rows of 19 mm, and what stands above and below them
NUMBERS = (
    "heart_rate_bpm", "pr_ms", "qrs_duration_ms", "qtc_bazett_ms", "qrs_axis_deg", "qrs_area_uvs",
)  # fmt: skip


@dataclass
class _Column:
    """Lines of text, one below the other, as operators of PDF."""

    y: float
    parts: list[str] = field(default_factory=list)

    def write(
        self,
        line: str,
        height: float = 3.1,
        colour: tuple[int, int, int] = BLACK,
        font: str = PLAIN,
    ) -> None:
        """Write a text over as many lines as it takes."""
        wider = BOLD_WIDER if font == BOLD else 1.0
        for shown in wrapped(line, height * wider, SIZE_MM[0] - 2 * MARGIN_MM):
            text = Text(MARGIN_MM, self.y, height, shown, False)
            self.parts.append(written([text], colour, font))
            self.y += 1.32 * height


def report_pdf(case: Case) -> bytes:
    """Return the page; a caution that finds no room is counted, never lost without a word."""
    head = _Column(8.0)
    _answer(head, case)
    most = len(case.cautions)
    foot = _foot(case, most)
    while most and SIZE_MM[1] - FOOT_MM - foot.y - head.y < LEAST_TRACING_MM:
        most -= 1
        foot = _foot(case, most)
    bottom = SIZE_MM[1] - FOOT_MM - foot.y
    tracing = ""
    if isinstance(case.recording, ECG):
        tracing = _tracing(case.recording, head.y, max(bottom - head.y, LEAST_TRACING_MM))
    moved = f"q 1 0 0 1 0 {bottom:.2f} cm\n" + "\n".join(foot.parts) + "\nQ"
    drawing = "\n".join([tracing, *head.parts, moved])
    return pdf_file(SIZE_MM, drawing, title="ECG: response to CRT, research estimate")


def _answer(page: _Column, case: Case) -> None:
    page.write(RESEARCH_ONLY, 3.1, RED, BOLD)
    page.write("Response to cardiac resynchronization therapy, from one ECG", 3.6, GREY)
    page.write("; ".join(_who(case)), 3.1, GREY)
    page.y += 1.0
    if case.answer is None:
        page.write(f"No answer: {NO_ANSWER}.", 4.6, BLACK, BOLD)
    else:
        first, *others = sentences(case.answer)
        page.write(first, 4.6, BLACK, BOLD)
        for line in others:
            page.write(line)
    if case.found is not None:
        found = case.found.measurements
        numbers = [
            f"{title} {value}" + (f" {unit}" if value != NONE else "")
            for name in NUMBERS
            for (title, unit), value in [(SHOWN_AS[name], measured(found, name))]
        ]
        page.write("; ".join([*numbers, f"conduction: {conduction(found)}", rhythm(found)]))


def _who(case: Case) -> Sequence[str]:
    if isinstance(case.recording, ECG):
        return page_header(case.recording)
    return (case.recording.source.name, "a picture; it is not drawn here")


def _foot(case: Case, most: int) -> _Column:
    """Return so many cautions, how many there are besides, and what stands on every export."""
    foot = _Column(0.0)
    for text in case.cautions[:most]:
        foot.write(f"Caution: {text}", 2.7)
    if left := len(case.cautions) - most:
        foot.write(f"Caution: and {left} more, for which there is no room here", 2.7)
    foot.write(case.disclaimer, 2.7, RED)
    foot.write(f"Bundle {case.digest}; made {case.made_at:%Y-%m-%d %H:%M %Z}", 2.4, GREY)
    return foot


def _tracing(ecg: ECG, top: float, height: float) -> str:
    layout = replace(LAYOUTS[LAYOUT], page_mm=(SIZE_MM[0], height - 2.0))
    signal = ecg.signal - np.median(ecg.signal, axis=1, keepdims=True)
    page = plan_vector(signal, ecg.fs, layout, STYLE, PageOptions())
    return drawn_page(page, down_mm=top - 1.0)
