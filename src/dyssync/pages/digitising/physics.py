"""What the limb leads must obey, whatever the heart does: all six are made of two."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from dyssync.arrays import Floats
from dyssync.ecg import LIMB_FROM_I_II, LIMB_LEADS

LEAST_SHARE = 0.5  # of the samples that all leads must have
COMPARED = 250  # samples of two stretches that are compared; more say the same
# Rows of LIMB_LEADS made of I and II (Einthoven, Goldberger).
_ALL = np.concatenate([np.eye(2), LIMB_FROM_I_II])


def limb_residual(leads: Mapping[str, Floats]) -> float:
    """Return how far simultaneous limb leads are from being made of two, 0-1.

    Args:
        leads: name to samples (n,) of one and the same time; mV, NaN unknown. Chest leads take no
            part.

    Returns:
        RMS of what two potentials cannot explain, over the RMS that chance would leave of leads
        of the same size; about 1 for leads under wrong names, NaN for fewer than three limb leads.
    """
    names = [name for name in LIMB_LEADS if name in leads]
    if len(names) < 3:
        return float("nan")
    step = max(len(leads[names[0]]) // (2 * COMPARED), 1)
    signals = np.stack([leads[name][::step] for name in names])
    known = np.isfinite(signals).all(axis=0)
    if known.mean() < LEAST_SHARE:
        return float("nan")
    signals = signals[:, known]
    signals = signals - np.median(signals, axis=1, keepdims=True)  # each row has a zero of its own
    mix = _ALL[[LIMB_LEADS.index(name) for name in names]]
    basis, _ = np.linalg.qr(mix)
    rest = signals - basis @ (basis.T @ signals)
    left = (len(names) - 2) / len(names)
    power = float(np.square(signals).mean())
    return float(np.sqrt(np.square(rest).mean() / (left * power))) if power > 0 else float("nan")


def same_lead(one: Floats, other: Floats, slack: int, stride: int = 1) -> float:
    """Return how nearly two stretches of one time show the same lead, at most 1; NaN not known.

    1 is the same shape and size; 0 no likeness. Height may differ by a constant and the time by
    `slack` samples.

    Args:
        one: (n,) mV, NaN unknown.
        other: (n,) the same.
        slack: samples by which they may be shifted.
        stride: samples between the shifts that are tried.
    """
    reach = slack - slack % stride
    at = np.arange(reach, len(one) - reach, max(len(one) // COMPARED, 1))
    if not len(at):
        return float("nan")
    shifts = np.arange(-reach, reach + 1, stride)[:, None]
    a, b = np.broadcast_arrays(one[at], other[at - shifts])
    known = np.isfinite(a) & np.isfinite(b)
    enough = known.sum(axis=1) >= LEAST_SHARE * len(at)
    a, b, known = a[enough], b[enough], known[enough]
    a, b = (x - x.mean(axis=1, where=known, keepdims=True) for x in (a, b))
    power = (np.square(a) + np.square(b)).mean(axis=1, where=known)
    apart = np.square(a - b).mean(axis=1, where=known)
    alike = 1 - apart[power > 0] / power[power > 0]
    return float(alike.max()) if len(alike) else float("nan")
