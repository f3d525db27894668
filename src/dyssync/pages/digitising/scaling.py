"""Paper speed and gain: as stated, as printed, as the pulse says, or the usual ones."""

from __future__ import annotations

import numpy as np

from dyssync.errors import FormatError
from dyssync.layouts import GAIN_MM_MV, LAYOUTS, SPEED_MM_S
from dyssync.pages.digitising.digitised import Origin, Scale, Stated
from dyssync.pages.digitising.pulses import PULSE_MV, PULSE_S
from dyssync.pages.digitising.reading import Reading

# Some recorders draw narrower pulses; that of 12.5 mm/s is not told from them.
USUAL_GAINS, USUAL_SPEEDS = (2.5, 5.0, 10.0, 20.0, 40.0), (25.0, 50.0, 100.0)
SNAP = 0.1  # share by which a pulse may miss a usual value
ROWS_MISS = 0.03  # share by which rows and pulse of one page may differ
# px across a px down by which pulses may stand beside each other: a wave of 10 mm leans by 2 ms
MOST_LEAN = 0.005
DISAGREE = 0.15  # share by which pulses of one page may differ
GRIDLESS = "no grid is seen: the scale is that of the pulse and, if they agree, of the rows' length"


def find_scale(reading: Reading, stated: Stated) -> tuple[Scale, tuple[float, float], list[str]]:
    """Return speed and gain, the px/mm across and down, and what the reader should know.

    Raises:
        FormatError: the page contradicts itself or what is stated, or has no scale at all.
    """
    across, down = reading.page.px_per_mm
    # Without a grid a pulse says how large a mV and a second are, but not how many mm.
    speed, gain = _pulse_values(reading, across, down) if reading.has_grid else (None, None)
    problems: list[str] = []
    warnings: list[str] = []
    found_speed = _settle(
        "speed", "mm/s", stated.speed_mm_s, reading.printed.speed, speed, SPEED_MM_S,
        problems, warnings,
    )  # fmt: skip
    found_gain = _settle(
        "gain", "mm/mV", stated.gain_mm_mv, reading.printed.gain, gain, GAIN_MM_MV,
        problems, warnings,
    )  # fmt: skip
    if problems:
        raise FormatError("; ".join(problems))
    scale = Scale(found_speed[0], found_gain[0], found_speed[1], found_gain[1])
    if not reading.has_grid:
        return scale, _pitch_of_pulse(reading, scale), [GRIDLESS]
    return scale, (across, down), warnings


def _pulse_values(
    reading: Reading, across: float, down: float
) -> tuple[float | None, float | None]:
    """Return speed and gain that the pulses say, brought to usual values; None if not clear."""
    if not reading.pulses:
        return None, None
    heights = np.array([pulse.height for pulse in reading.pulses]) / down
    widths = np.array([pulse.fall - pulse.rise for pulse in reading.pulses]) / across
    gain = _usual(heights / PULSE_MV, USUAL_GAINS)
    speed = _usual(widths / PULSE_S, USUAL_SPEEDS)
    return speed, gain


def _usual(values: np.ndarray, usual: tuple[float, ...]) -> float | None:
    middle = float(np.median(values))
    if np.ptp(values) > 2 * DISAGREE * middle:
        return None
    near = min(usual, key=lambda value: abs(np.log(value / middle)))
    return near if abs(near / middle - 1) <= SNAP else None


def _settle(
    name: str,
    unit: str,
    stated: float | None,
    printed: float | None,
    pulse: float | None,
    usual: float,
    problems: list[str],
    warnings: list[str],
) -> tuple[float, Origin]:
    """Return the value and where it is from; contradictions and guesses are written down."""
    if stated is not None:
        for other, source in ((printed, "is printed"), (pulse, "is what the pulse says")):
            if other is not None and abs(other / stated - 1) > SNAP:
                problems.append(f"{name} {stated:g} {unit} is stated, {other:g} {unit} {source}")
        return stated, "stated"
    if printed is not None and pulse is not None and abs(printed / pulse - 1) > SNAP:
        problems.append(
            f"{name} {printed:g} {unit} is printed, {pulse:g} {unit} is what the pulse says; "
            f"state the {name}"
        )
    if printed is not None:
        return printed, "printed"
    if pulse is not None:
        return pulse, "pulse"
    warnings.append(f"{name} is not to be read on the page: {usual:g} {unit} is assumed")
    return usual, "assumed"


def _pitch_of_pulse(reading: Reading, scale: Scale) -> tuple[float, float]:
    """Return the px/mm of a page without grid: its pulse is 1 mV high and 0.2 s wide."""
    if not reading.pulses:
        raise FormatError(
            "neither a grid nor a calibration pulse is seen, so that nothing says how large 1 mV "
            "is. Scan the page with its grid"
        )
    if len({pulse.row for pulse in reading.pulses}) > 1:
        down = [reading.traces[pulse.row].row.line for pulse in reading.pulses]
        lean = float(np.polyfit(down, [pulse.rise for pulse in reading.pulses], 1)[0])
        if abs(lean) > MOST_LEAN:
            raise FormatError(
                f"the page leans by {np.degrees(abs(lean)):.1f} degrees, and no grid is seen by "
                "which it could be set upright. Scan it straight, or with its grid"
            )
    height = float(np.median([pulse.height for pulse in reading.pulses]))
    width = float(np.median([pulse.fall - pulse.rise for pulse in reading.pulses]))
    px_per_s, px_per_mv = _by_rows(width / PULSE_S, reading), height / PULSE_MV
    px_per_mm = px_per_s / scale.speed_mm_s, px_per_mv / scale.gain_mm_mv
    if not 0.8 < px_per_mm[0] / px_per_mm[1] < 1.25:
        raise FormatError(
            "no grid is seen, and the calibration pulse is not 1 mV high and 0.2 s wide at one "
            "scale; state speed and gain"
        )
    return px_per_mm


def _by_rows(px_per_s: float, reading: Reading) -> float:
    """Return the px a second that the rows say, if they are about as long as in their layout.

    They are fifty times as wide as a pulse, which one pixel makes 3 % wider.
    """
    if reading.best is None:
        return px_per_s
    name = reading.best.layout.partition("+")[0]  # whatever its strips are
    if name not in LAYOUTS:
        return px_per_s
    told = reading.best.column_px / LAYOUTS[name].seconds
    return told if abs(told / px_per_s - 1) <= ROWS_MISS else px_per_s
