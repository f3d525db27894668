"""What was read off a page as files: a table of samples, and everything that is known of it."""

from __future__ import annotations

import io
import json
import math
from typing import Any

import numpy as np

from dyssync.pages.digitising.digitised import Digitised

HEADER = "lead,row,column,strip,page_s,millivolt,confidence"


def samples_csv(read: Digitised) -> str:
    """Return one line a sample and part: no table of leads side by side.

    Leads of different columns need not be of one time; `page_s` is the time on the paper from the
    left end of the first column, s. What could not be read is left out, never zero.
    """
    out = io.StringIO()
    out.write(HEADER + "\n")
    for part in read.parts:
        for i in np.flatnonzero(np.isfinite(part.millivolts)):
            out.write(
                f"{part.lead},{part.row},{part.column},{int(part.rhythm)},"
                f"{part.start_s + i / read.fs:.4f},{part.millivolts[i]:.4f},"
                f"{part.confidence[i]:.2f}\n"
            )
    return out.getvalue()


def facts_json(read: Digitised) -> str:
    """Return layout, scale, geometry, quality and warnings; null where a number is not known."""
    facts = {
        "layout": read.layout,
        "fs_hz": read.fs,
        "exact": read.exact,
        "scale": vars(read.scale),
        "geometry": vars(read.geometry),
        "quality": vars(read.quality),
        "warnings": list(read.warnings),
        "parts": [
            {
                "lead": part.lead,
                "row": part.row,
                "column": part.column,
                "strip": part.rhythm,
                "start_s": part.start_s,
                "samples": len(part.millivolts),
                "read": int(np.isfinite(part.millivolts).sum()),
            }
            for part in read.parts
        ],
    }
    return json.dumps(_known(facts), indent=1) + "\n"


def _known(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _known(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [_known(entry) for entry in value]
    if isinstance(value, float):
        return round(value, 6) if math.isfinite(value) else None
    return value
