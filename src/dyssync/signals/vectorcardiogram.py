"""The vectorcardiogram from 12 leads: X to the left, Y to the feet, Z to the back.

The tables are copied to the last digit; wrong "Kors" tables circulate (a corrupted Z row, the sign
of lead I flipped), so the tests hold them against each other and against the Dower matrix.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from dyssync.arrays import Floats
from dyssync.ecg import LEAD_INDEX, Signal

# The eight independent leads, in the order of both tables.
VCG_LEADS = ("V1", "V2", "V3", "V4", "V5", "V6", "I", "II")
_ROWS = [LEAD_INDEX[lead] for lead in VCG_LEADS]


def _table(rows: list[list[float]]) -> Floats:
    table = np.array(rows)
    table.flags.writeable = False
    return table


# Kors JA et al., Eur Heart J 1990;11:1083-92 (regression); (3, 8)
KORS = _table(
    [
        [-0.13, 0.05, -0.01, 0.14, 0.06, 0.54, 0.38, -0.07],
        [0.06, -0.02, -0.05, 0.06, -0.17, 0.13, -0.07, 0.93],
        [-0.43, -0.06, -0.14, -0.20, -0.11, 0.31, 0.11, -0.23],
    ]
)
# Dower GE et al., J Electrocardiol 1980;13:169-80: X, Y, Z to the eight leads; (8, 3)
DOWER = _table(
    [
        [-0.515, 0.157, -0.917],
        [0.044, 0.164, -1.387],
        [0.882, 0.098, -1.277],
        [1.213, 0.127, -0.601],
        [1.125, 0.127, -0.086],
        [0.831, 0.076, 0.230],
        [0.632, -0.235, 0.059],
        [0.235, 1.066, -0.132],
    ]
)


def vectorcardiogram(signal: npt.ArrayLike) -> Signal:
    """Return the X, Y, Z leads of a 12-lead signal by Kors, as the QRS-area literature has them.

    Args:
        signal: (12, n) mV, in the order of :data:`dyssync.ecg.LEADS`.

    Returns:
        (3, n) float32, mV.
    """
    leads = np.asarray(signal, dtype=np.float32)[_ROWS]
    return np.asarray(KORS.astype(np.float32) @ leads, dtype=np.float32)
