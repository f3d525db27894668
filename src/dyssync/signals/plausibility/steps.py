"""Steps of the stored samples: a recorder digitises all leads alike, so one odd step is an error.

Where a file does not state them, they are found in the samples, which then lie on a grid.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from dyssync.arrays import AnyFloats
from dyssync.ecg import LEAD_INDEX, LIMB_LEADS, Doubt
from dyssync.signals.plausibility.recorded import Recorded

NAME = "steps"
INDEPENDENT = ("I", "II", "V1", "V2", "V3", "V4", "V5", "V6")  # others may be computed, in halves
SAME = 0.05  # of 2,152 real records with a grid, all but two have one step within 1 %
ENOUGH = 4000  # samples tell the grid
FINEST = 1e-6  # of the largest sample: below it float32 knows no grid
OFF_GRID = 0.05  # of a step
ROUNDED = 2.0  # steps of a file that was written from coarser samples, each lead in its own range


def odd_steps(recorded: Recorded) -> list[Doubt]:
    """Find the one lead whose step differs from that of all others, and steps below zero."""
    stated = dict(recorded.steps)
    negative = tuple(lead for lead, step in stated.items() if step < 0)
    doubts = []
    if negative:
        text = f"{', '.join(negative)}: the file states a negative step. Check the sign of the gain"
        doubts.append(Doubt(NAME, negative, text, "withhold"))
    one = _odd(stated)
    found = stated if one is not None or _alike(stated) else grid_steps(recorded)
    odd = one if one is not None else _odd(found)
    if odd is not None:
        others = next(abs(step) for lead, step in found.items() if lead != odd)
        text = (
            f"{odd} is stored in steps of {abs(found[odd]):.3g} mV, the other leads in steps of "
            f"{others:.3g} mV. Check its gain"
        )
        told = odd not in LIMB_LEADS or _limb_leads_can_tell(recorded)
        doubts.append(Doubt(NAME, (odd,), text, "caution" if told else "withhold"))
    elif stated and not _alike(found) and not _limb_leads_can_tell(recorded):
        text = (
            "each lead is stored with a gain of its own, and nothing confirms those of I and II: "
            "the other limb leads are not in the file"
        )
        doubts.append(Doubt(NAME, ("I", "II"), text, "caution"))
    return doubts


def _alike(steps: Mapping[str, float]) -> bool:
    """Say whether steps are stated, and one for all."""
    sizes = np.abs(list(steps.values()))
    return bool(sizes.size) and bool(np.ptp(sizes) <= SAME * sizes.min())


def _odd(steps: Mapping[str, float]) -> str | None:
    sizes = {lead: abs(step) for lead, step in steps.items()}
    if len(sizes) < 4:
        return None
    typical = float(np.median(list(sizes.values())))
    odd = [lead for lead, size in sizes.items() if abs(size - typical) > SAME * typical]
    return odd[0] if len(odd) == 1 else None


def _limb_leads_can_tell(recorded: Recorded) -> bool:
    """Say whether Einthoven and Goldberger say which limb lead is wrong: four are needed."""
    there = [x for x in LIMB_LEADS if x in recorded.stored and recorded.alive[LEAD_INDEX[x]]]
    return len(there) >= 4


def grid_steps(recorded: Recorded) -> dict[str, float]:
    """Return the step of each independent lead, mV; nothing where not all lie on a grid."""
    found = {}
    for lead in INDEPENDENT:
        row = LEAD_INDEX[lead]
        if lead in recorded.stored and recorded.alive[row]:
            rounding = ROUNDED * abs(recorded.steps.get(lead, 0.0))
            found[lead] = grid_step(recorded.signal[row, :ENOUGH], rounding)
    return found if all(found.values()) else {}


def grid_step(samples: AnyFloats, rounding: float = 0.0) -> float:
    """Return the step that all differences of samples are multiples of; 0 where there is none.

    Args:
        samples: (n,), mV.
        rounding: differences up to it, mV, are none.
    """
    values = np.unique(np.asarray(samples, dtype=np.float64))
    gaps = np.diff(values)
    gaps = gaps[gaps > max(rounding, FINEST * float(np.abs(values).max()))]
    if gaps.size == 0:
        return 0.0
    step = float(gaps.min())
    multiples = gaps / step
    return step if np.abs(multiples - np.rint(multiples)).max() < OFF_GRID else 0.0
