"""The typical beat with its marks, drawn so that a person can check what was measured."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Literal

from dyssync.arrays import AnyFloats, Floats
from dyssync.inspection.wording import measured

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from dyssync.inspection.findings import Findings
    from dyssync.measurements.heartbeat import Heartbeat

SIZE_INCH = (11.0, 9.5)
MARGINS = {
    "left": 0.05, "right": 0.99, "top": 0.91, "bottom": 0.03, "hspace": 0.32, "wspace": 0.16,
}  # fmt: skip
COLUMNS = 4
DPI = 150
GRID = ((40.0, 0.1, "#F8E3E3", 0.4), (200.0, 0.5, "#ECC3C3", 0.7))  # ms, mV, colour, width
MAX_GRID_MV = 10.0  # higher pictures have no squares: they would be a grey plane
# Wave: name, first and last mark, colour (Okabe and Ito, safe for colour-blind readers).
WAVES = (
    ("P", "p_on", "p_off", "#009E73"),
    ("QRS", "qrs_on", "qrs_off", "#0072B2"),
    ("T", "t_peak", "t_off", "#D55E00"),
)
RECORDER = "#CC79A7"
MARGIN_MS = 80.0  # shown before the first mark and after the last
MIN_SPAN_MV = 1.0


def draw_beat(found: Findings, kind: Literal["png", "svg"]) -> bytes:
    """Return the picture of the typical beat: all leads laid on each other, then each lead alone.

    The recorder's own beat, where the file holds one, is laid on it as a broken line.

    Raises:
        InputError: no beat was found.
    """
    import numpy as np
    from matplotlib.figure import Figure

    from dyssync.ecg import LEADS
    from dyssync.errors import InputError
    from dyssync.figures.plate import figure_style
    from dyssync.signals.beats import NO_BEAT

    beat, recorders = found.heartbeat, found.recorders_beat
    if beat is None:
        raise InputError(NO_BEAT)
    time = (np.arange(beat.signal.shape[1]) - beat.marks.qrs_on) * beat.ms(1.0)
    picture = io.BytesIO()
    with figure_style():
        figure = Figure(figsize=SIZE_INCH)
        places = figure.add_gridspec(4, COLUMNS, height_ratios=(1.9, 1, 1, 1), **MARGINS)
        together = figure.add_subplot(places[0, :])
        together.plot(time, beat.signal.T, color="0.2", linewidth=0.8)
        _paper(together, time, beat, beat.signal)
        _global_marks(together, beat, name=True)
        together.set_xlabel("ms from QRS onset; all leads laid on each other", loc="left")
        together.set_ylabel("mV")
        for i, lead in enumerate(LEADS):
            axes = figure.add_subplot(places[1 + i % 3, i // 3])
            axes.plot(time, beat.signal[i], color="black", linewidth=1.1)
            if recorders is not None:
                axes.plot(time, recorders.signal[i], "--", color=RECORDER, linewidth=0.9)
            axes.set_title(lead, loc="left", fontsize=9, pad=3)
            _paper(axes, time, beat, beat.signal[i])
            _global_marks(axes, beat)
            _lead_marks(axes, beat, i, time)
        title = _title(found, beat)
        title += "" if recorders is None else "\nBroken line: the recorder's own beat"
        figure.text(MARGINS["left"], 0.985, title, fontsize=9, va="top")
        stamp = {"Date": None, "Creator": None} if kind == "svg" else {"Software": None}
        figure.savefig(picture, format=kind, dpi=DPI, metadata=stamp)
    return picture.getvalue()


def _title(found: Findings, beat: Heartbeat) -> str:
    numbers = "   ".join(
        f"{title} {measured(found.measurements, name)} ms"
        for title, name in (
            ("P", "p_duration_ms"),
            ("PR", "pr_ms"),
            ("QRS", "qrs_duration_ms"),
            ("QT", "qt_ms"),
        )
    )
    return (
        f"{found.ecg.source.name}: typical beat, median of {beat.n_beats}   {numbers}\n"
        "Shaded: P, QRS and T peak to end, from all leads together. Dots: QRS onset and end in the "
        "lead itself. Small square 40 ms x 0.1 mV"
    )


def _paper(axes: Axes, time: AnyFloats, beat: Heartbeat, rows: Floats) -> None:
    """Give the panel millimetre paper and room for what is drawn."""
    import numpy as np

    marks = [mark for mark in _all_marks(beat) if mark is not None]
    left = max(time[0], beat.ms(min(marks) - beat.marks.qrs_on) - MARGIN_MS)
    right = min(time[-1], beat.ms(max(marks) - beat.marks.qrs_on) + MARGIN_MS)
    seen = rows[..., (time >= left) & (time <= right)]
    low, high = float(np.min(seen)), float(np.max(seen))
    room = 0.08 * (high - low) + max(0.0, MIN_SPAN_MV - (high - low)) / 2
    axes.set_xlim(left, right)
    axes.set_ylim(low - room, high + room)
    axes.grid(visible=False)
    bottom, top = axes.get_ylim()
    for step_ms, step_mv, colour, width in GRID if high - low < MAX_GRID_MV else ():
        axes.vlines(
            _multiples(left, right, step_ms), bottom, top, colour, linewidth=width, zorder=0
        )
        axes.hlines(
            _multiples(bottom, top, step_mv), left, right, colour, linewidth=width, zorder=0
        )
    axes.tick_params(labelsize=7, length=0)


def _multiples(low: float, high: float, step: float) -> Floats:
    import numpy as np

    return np.arange(np.ceil(low / step), np.floor(high / step) + 1) * step


def _all_marks(beat: Heartbeat) -> list[int | None]:
    return [getattr(beat.marks, mark) for _, *pair, _ in WAVES for mark in pair]


def _global_marks(axes: Axes, beat: Heartbeat, *, name: bool = False) -> None:
    for wave, first, last, colour in WAVES:
        start, stop = getattr(beat.marks, first), getattr(beat.marks, last)
        if start is None or stop is None:
            continue
        x0, x1 = (beat.ms(mark - beat.marks.qrs_on) for mark in (start, stop))
        axes.axvspan(x0, x1, color=colour, alpha=0.12, linewidth=0)
        for x in (x0, x1):
            axes.axvline(x, color=colour, linewidth=0.8)
        if name:
            top = axes.get_ylim()[1]
            label = f"T peak to end {x1 - x0:.0f} ms" if wave == "T" else f"{wave} {x1 - x0:.0f} ms"
            axes.text((x0 + x1) / 2, top, label, color=colour, ha="center", va="bottom")


def _lead_marks(axes: Axes, beat: Heartbeat, lead: int, time: AnyFloats) -> None:
    """Dot the QRS onset and end of the lead itself."""
    import numpy as np

    for mark in ("qrs_on", "qrs_off"):
        at = beat.marks.leads[mark][lead]
        if np.isfinite(at):
            k = round(float(at))
            axes.plot(time[k], beat.signal[lead, k], "o", color="#0072B2", markersize=3.5)
