"""Names for arrays, one a dtype. What an array *means* has its name where it is at home.

`Signal` (in `dyssync.ecg`) is (12, n) float32 in mV, `Picture` (in `dyssync.rendering.rendered`)
is uint8 pixels; everything else that holds numbers is one of these.
"""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
import numpy.typing as npt

Floats: TypeAlias = npt.NDArray[np.float64]
Singles: TypeAlias = npt.NDArray[np.float32]
AnyFloats: TypeAlias = npt.NDArray[np.floating]  # float32 or float64; the function keeps which
Ints: TypeAlias = npt.NDArray[np.int64]
Ints32: TypeAlias = npt.NDArray[np.int32]
Ints16: TypeAlias = npt.NDArray[np.int16]
Indices: TypeAlias = npt.NDArray[np.intp]  # what NumPy indexes with
Bytes: TypeAlias = npt.NDArray[np.uint8]
Bools: TypeAlias = npt.NDArray[np.bool_]
Strings: TypeAlias = npt.NDArray[np.str_]
