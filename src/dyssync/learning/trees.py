"""Trees that LightGBM grew, asked through its C library.

Its Python package imports scikit-learn, pandas and what they import, a second of processor time;
the library itself is there in milliseconds. Growing trees goes through the package.

References:
    LightGBM C API, https://lightgbm.readthedocs.io/en/latest/C-API.html: LGBM_BoosterPredictForMat.
"""

from __future__ import annotations

import ctypes
import importlib.util
import weakref
from functools import cache
from pathlib import Path

import numpy as np

from dyssync.arrays import Floats
from dyssync.errors import ModelError
from dyssync.learning.tree_text import damaged

# constants of the C API
FLOAT64, ROW_MAJOR = 1, 1
RAW_SCORE, CONTRIBUTIONS = 1, 3
OPTIONS = b"num_threads=1 verbosity=-1"


class Trees:
    """Grown trees.

    Args:
        text: as LightGBM writes them: by itself, or checked by
            :func:`~dyssync.learning.tree_text.check_trees`, for on other text it crashes.

    Raises:
        ModelError: they are damaged.
    """

    def __init__(self, text: str) -> None:
        self.text = text
        held, rounds = ctypes.c_void_p(), ctypes.c_int()
        _call("LGBM_BoosterLoadModelFromString", text.encode(), _at(rounds), _at(held))
        self._held = held
        weakref.finalize(self, _call, "LGBM_BoosterFree", held)

    def scores(self, values: Floats) -> Floats:
        """Return the sum over all trees, (n,), of (n, k) values; NaN is a missing one."""
        return self._ask(values, RAW_SCORE, 1)[:, 0]

    def contributions(self, values: Floats) -> Floats:
        """Return what each value adds, and the base, (n, k + 1): TreeSHAP, exact."""
        return self._ask(values, CONTRIBUTIONS, values.shape[1] + 1)

    def _ask(self, values: Floats, kind: int, columns: int) -> Floats:
        given = np.ascontiguousarray(values, dtype=np.float64)
        found = np.empty((len(given), columns))
        length = ctypes.c_int64()
        _call(
            "LGBM_BoosterPredictForMat",
            self._held,
            ctypes.c_void_p(given.ctypes.data),
            ctypes.c_int(FLOAT64),
            ctypes.c_int32(given.shape[0]),
            ctypes.c_int32(given.shape[1]),
            ctypes.c_int(ROW_MAJOR),
            ctypes.c_int(kind),
            ctypes.c_int(0),  # from the first tree
            ctypes.c_int(-1),  # to the last
            OPTIONS,
            _at(length),
            ctypes.c_void_p(found.ctypes.data),
        )
        if length.value != found.size:
            raise ModelError(f"trees: {length.value} answers where {found.size} are due")
        return found


def _at(value: ctypes.c_void_p | ctypes.c_int | ctypes.c_int64) -> object:
    return ctypes.byref(value)


def _call(name: str, *arguments: object) -> None:
    if getattr(_library(), name)(*arguments) != 0:
        raise damaged()


@cache
def _library() -> ctypes.CDLL:
    """Load the library of the installed package, without its Python part."""
    found = importlib.util.find_spec("lightgbm")
    if found is None or not found.submodule_search_locations:
        raise ModelError("LightGBM is not installed; pip install lightgbm")
    folder = Path(found.submodule_search_locations[0])
    names = ("lib_lightgbm.so", "lib_lightgbm.dylib", "lib_lightgbm.dll")
    paths = [at / name for at in (folder / "lib", folder, folder / "bin") for name in names]
    there = [path for path in paths if path.is_file()]
    if not there:
        raise ModelError(f"LightGBM: no library in {folder}; install it again")
    return ctypes.CDLL(str(there[0]))
