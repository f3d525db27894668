"""How far a reading can be believed, and from where it is refused."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np

from dyssync.ecg import LIMB_LEADS
from dyssync.pages.digitising.digitised import Part, Quality
from dyssync.pages.digitising.matching import Match

# Each kind of evidence is worth 1 at its good and 0 at its bad value; the score is the worst of
# them (chosen on rendered pages and 45 real ones, docs/digitising.md).
SEEN_GOOD_BAD = (0.97, 0.70)
CROWDED_GOOD_BAD = (0.25, 0.65)
RESIDUAL_GOOD_BAD = (0.25, 0.80)
TOGETHER_GOOD_BAD = (0.25, 0.50)  # of six limb leads at once, which have four relations, not one
STRIP_GOOD_BAD = (0.97, 0.60)
LEAST_SCORE = 0.35  # below, the page is refused
# Names read at their places, unless limb leads settle the layout: so many, and that share.
LEAST_NAMES, MOST_NAMES = 3, 0.6
LEAST_AHEAD = 0.5  # of the best arrangement over the next; a name that is read well is worth 0.8
SURE_RESIDUAL = 0.35  # physics alone names limb leads from here down


def judge(parts: Sequence[Part], match: Match) -> Quality:
    """Return the quality of what was read."""
    names = len(match.names.panels) / len(match.panels)
    return quality_of(parts, match.residual, match.strip, names)


def quality_of(parts: Sequence[Part], residual: float, strip: float, names: float) -> Quality:
    """Return the quality of parts, with what limb leads and strips say: see :class:`Quality`."""
    seen = float(np.mean(np.concatenate([part.confidence > 0 for part in parts])))
    crowded = max(_crowded(part) for part in parts)
    evidence = [_share(seen, *SEEN_GOOD_BAD), _share(crowded, *CROWDED_GOOD_BAD)]
    if np.isfinite(residual):
        evidence.append(_share(residual, *_bounds(parts)))
    if np.isfinite(strip):
        evidence.append(_share(strip, *STRIP_GOOD_BAD))
    return Quality(seen, crowded, residual, strip, names, min(evidence))


def _bounds(parts: Sequence[Part]) -> tuple[float, float]:
    """Return the good and the bad residual of a page's columns."""
    limb = Counter(part.column for part in parts if part.lead in LIMB_LEADS and not part.rhythm)
    together = max(limb.values(), default=0) == len(LIMB_LEADS)
    return TOGETHER_GOOD_BAD if together else RESIDUAL_GOOD_BAD


def _crowded(part: Part) -> float:
    """Return the share of the way of a pen, up and down, that ink of other traces hides."""
    way = np.nan_to_num(np.abs(np.diff(part.millivolts.astype(np.float64))))
    low = np.minimum(part.confidence[1:], part.confidence[:-1])
    hidden = (low > 0) & (low < 1)  # what was bridged is no ink at all
    return float(way[hidden].sum() / max(way.sum(), 1e-9))


def _share(value: float, good: float, bad: float) -> float:
    return float(np.clip((value - bad) / (good - bad), 0, 1))


def refusal(quality: Quality, parts: Sequence[Part]) -> str:
    """Return why a reading of parts is refused, or nothing."""
    if quality.score >= LEAST_SCORE:
        return ""
    reasons = []
    if _share(quality.seen, *SEEN_GOOD_BAD) < LEAST_SCORE:
        reasons.append(f"only {quality.seen:.0%} of the traces could be followed")
    if _share(quality.crowded, *CROWDED_GOOD_BAD) < LEAST_SCORE:
        reasons.append("leads run into each other: rows are too near for voltages so high")
    residual = quality.limb_residual
    if np.isfinite(residual) and _share(residual, *_bounds(parts)) < LEAST_SCORE:
        reasons.append(
            "the limb leads contradict each other (Einthoven and Goldberger leave "
            f"{residual:.0%} unexplained)"
        )
    if np.isfinite(quality.strip) and _share(quality.strip, *STRIP_GOOD_BAD) < LEAST_SCORE:
        reasons.append("the rhythm strip does not repeat the lead that it should")
    return "; ".join(reasons)
