"""Limb leads against Einthoven and Goldberger: two of them give the other four.

Electrodes swapped, loose or noisy obey the laws all the same, since every limb lead is made of the
same three potentials. What breaks them is done to a lead afterwards: another gain, a sign, a name,
another time.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from dyssync.arrays import Floats
from dyssync.ecg import LEAD_INDEX, LIMB_FROM_I_II, LIMB_LEADS, Doubt
from dyssync.signals.plausibility.recorded import MOST_S, Recorded
from dyssync.signals.plausibility.together import EXPORT

NAME = "limb leads"
LAG_S = 0.02  # changes over it are those of the QRS; offsets and filters of single leads drop out
STEEP = 90  # percentile: the steepest tenth of the samples is judged
# In 2,240 of 2,241 real records with all limb leads the gain of each is within 5.1 % of what the
# others give (99.5 %: 0.4 %), the correlation at least 0.86 (all but one: 0.99).
GAIN_APART = 0.12
LIKE = 0.9
GROSS = 1.5  # so far from 1 that axis and areas would be wrong altogether
# Exports whose leads were each filtered alone (Chapman) leave a few percent of their power, spread
# over all leads, none of which is the odd one.
FILTERED_SHARE = 0.1
OTHERS_SHARE = 0.1  # of the unexplained power may be left without the one lead that is wrong
LEFT_SHARE = 0.02  # of the largest limb lead; a difference below it is rounding
FROM_I_II: Floats = np.vstack([np.eye(2), LIMB_FROM_I_II])  # (6, 2), rows as LIMB_LEADS


@dataclass(frozen=True)
class Fit:
    """How a lead compares with what the others give: gain and correlation; rms of the rest, mV."""

    gain: float
    correlation: float
    left: float

    def agrees(self, floor: float) -> bool:
        """Say whether lead and law agree; rest below `floor` is rounding."""
        same = abs(self.gain - 1) <= GAIN_APART and self.correlation >= LIKE
        return same or self.left <= floor


def limb_laws(recorded: Recorded) -> list[Doubt]:
    """Return what contradicts the laws among the limb leads that were stored, with its lead."""
    names = [x for x in LIMB_LEADS if x in recorded.stored and recorded.alive[LEAD_INDEX[x]]]
    if len(names) < 3:
        return []
    steep = _steep(recorded, names)
    if _consistent(steep):
        return []
    doubt = _one_lead(steep) or _exchanged(steep) or _two_groups(steep) or _unexplained(steep)
    return [doubt] if doubt is not None else []


def _steep(recorded: Recorded, names: Sequence[str]) -> dict[str, Floats]:
    """Return the steepest changes of each lead, mV."""
    lag = max(1, round(LAG_S * recorded.fs))
    rows = [LEAD_INDEX[name] for name in names]
    signal = recorded.signal[rows, : int(MOST_S * recorded.fs)].astype(np.float64)
    change = signal[:, lag:] - signal[:, :-lag]
    size = np.abs(change).max(axis=0)
    kept = change[:, size >= np.percentile(size, STEEP)]
    return dict(zip(names, kept, strict=True))


def _fits(steep: dict[str, Floats]) -> dict[str, Fit]:
    """Compare each lead with what all others give; leave out those that they do not determine."""
    fits = {}
    for name, found in steep.items():
        others = [other for other in steep if other != name]
        base = FROM_I_II[[LEAD_INDEX[x] for x in others]]
        if np.linalg.matrix_rank(base) < 2:
            continue
        weights = FROM_I_II[LEAD_INDEX[name]] @ np.linalg.pinv(base)
        given = weights @ np.stack([steep[x] for x in others])
        power, expected = float(found @ found), float(given @ given)
        scale = np.sqrt(power * expected)
        likeness = float(found @ given) / scale if scale > 0 else 0.0
        gain = np.sqrt(power / expected) if expected > 0 else np.inf
        left = float(np.sqrt(np.mean(np.square(found - given))))
        fits[name] = Fit(float(np.copysign(gain, likeness)), likeness, left)
    return fits


def _floor(steep: dict[str, Floats]) -> float:
    return LEFT_SHARE * max(float(np.sqrt(np.mean(np.square(x)))) for x in steep.values())


def _consistent(steep: dict[str, Floats]) -> bool:
    floor = _floor(steep)
    return all(fit.agrees(floor) for fit in _fits(steep).values())


def _unexplained_power(steep: dict[str, Floats]) -> float:
    """Return the power that no pair of leads I and II explains, mV^2, summed over samples."""
    base = FROM_I_II[[LEAD_INDEX[x] for x in steep]]
    found = np.stack(list(steep.values()))
    return float(np.square(found - base @ (np.linalg.pinv(base) @ found)).sum())


def _one_lead(steep: dict[str, Floats]) -> Doubt | None:
    """Return the lead without which the others agree."""
    if len(steep) < 4:
        return None
    without = {name: {x: steep[x] for x in steep if x != name} for name in steep}
    lead = min(steep, key=lambda name: _unexplained_power(without[name]))
    others = _unexplained_power(without[lead]) <= OTHERS_SHARE * _unexplained_power(steep)
    if not (others and _consistent(without[lead])):
        return None
    fit = _fits(steep)[lead]
    if fit.correlation < -LIKE and 1 / GROSS < -fit.gain < GROSS:
        what = "it is upside down"
    elif abs(fit.correlation) >= LIKE:
        what = f"it is {fit.gain:.2g} times what they give"
    else:
        what = f"it is another signal than they give (correlation {fit.correlation:.2f})"
    gross = not 1 / GROSS < fit.gain < GROSS or fit.correlation < 0.5
    text = f"{lead} contradicts {_listed([x for x in steep if x != lead])}: {what}"
    return _doubt((lead,), text, gross=gross and lead in ("I", "II"))


def _exchanged(steep: dict[str, Floats]) -> Doubt | None:
    """Return the two leads whose exchange makes all agree."""
    for one, other in combinations(steep, 2):
        if _consistent({**steep, one: steep[other], other: steep[one]}):
            text = f"{one} and {other} are exchanged: the limb leads agree once they change places"
            return _doubt((one, other), text, gross=bool({one, other} & {"I", "II"}))
    return None


def _two_groups(steep: dict[str, Floats]) -> Doubt | None:
    """Return what sets I, II, III apart from aVR, aVL, aVF, where each three agree alone."""
    bipolar = {x: steep[x] for x in LIMB_LEADS[:3] if x in steep}
    augmented = {x: steep[x] for x in LIMB_LEADS[3:] if x in steep}
    whole = len(bipolar) == len(augmented) == 3
    if not (whole and _consistent(bipolar) and _consistent(augmented)):
        return None
    given = FROM_I_II[3:] @ np.linalg.pinv(FROM_I_II[:3]) @ np.stack(list(bipolar.values()))
    found = np.stack(list(augmented.values()))
    likeness = float((found * given).sum() / np.sqrt((found**2).sum() * (given**2).sum()))
    if likeness < LIKE:
        return Doubt(
            NAME,
            tuple(augmented),
            "I, II, III and aVR, aVL, aVF were not recorded together: each three obey Einthoven "
            f"and Goldberger, the six do not. {EXPORT}",
            "refuse",
        )
    gain = float(np.sqrt((found**2).sum() / (given**2).sum()))
    if abs(gain - 1) <= GAIN_APART:
        return None
    return _doubt(
        tuple(augmented), f"aVR, aVL, aVF are {gain:.2g} times what I, II, III give", gross=False
    )


def _unexplained(steep: dict[str, Floats]) -> Doubt | None:
    """Say that the leads contradict each other, unless filtering each alone can have done it."""
    power = sum(float(np.square(x).sum()) for x in steep.values())
    if len(steep) > 3 and _unexplained_power(steep) < FILTERED_SHARE * power:
        return None
    return _doubt(tuple(steep), f"{_listed(list(steep))} contradict each other", gross=False)


def _doubt(leads: tuple[str, ...], text: str, *, gross: bool) -> Doubt:
    sentence = f"{text} (Einthoven, Goldberger). Check gain, sign and name"
    return Doubt(NAME, leads, sentence, "refuse" if gross else "withhold")


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names)
