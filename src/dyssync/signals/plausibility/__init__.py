"""One gate for recordings: what no heart and no recorder gives is refused, or named.

Arrays in, :class:`dyssync.ecg.Doubt` out. Nothing is repaired; only stretches that are no ECG are
left out. A check is a function from a recording to its doubts, and a line in :data:`CHECKS`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from dyssync.ecg import Doubt
from dyssync.signals.plausibility.amplitudes import (
    chest_leads,
    limb_and_chest,
    recorders_beat,
    single_samples,
    size,
)
from dyssync.signals.plausibility.limb_leads import limb_laws
from dyssync.signals.plausibility.recorded import Recorded
from dyssync.signals.plausibility.steps import odd_steps
from dyssync.signals.plausibility.together import same_beats

__all__ = ["CHECKS", "Recorded", "judge"]

CHECKS: Mapping[str, Callable[[Recorded], list[Doubt]]] = {
    "limb leads": limb_laws,
    "recorded together": same_beats,
    "size": size,
    "chest leads": chest_leads,
    "limb and chest": limb_and_chest,
    "recorder's beat": recorders_beat,
    "single samples": single_samples,
    "steps": odd_steps,
}


def judge(recorded: Recorded) -> list[Doubt]:
    """Return what all checks hold against a recording."""
    return [doubt for check in CHECKS.values() for doubt in check(recorded)]
