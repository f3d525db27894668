"""What the report says about the Grad-CAM maps of a model: shares by lead, chosen cases."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from dyssync.ecg import LEADS
from dyssync.explanation.maps import CamMaps
from dyssync.study.results import StudyResults

GALLERY_PERCENTILES = (10, 50, 90)
# One colour scale for all maps of a model keeps patients comparable; the 99th percentile of the
# non-zero values keeps one extreme cell from fading all others.
SCALE_PERCENTILE = 99.0


@dataclass(frozen=True)
class LeadShares:
    """Mean share of the map's sum in each lead; ``even``: what an even map gives (box areas).

    Attributes:
        leads: names, in the standard order.
        shares: mean over the maps that are not zero; NaN where there is none.
        even: same order; NaN where the picture's boxes are not known.
        n: maps averaged.
    """

    model: str
    leads: tuple[str, ...]
    shares: tuple[float, ...]
    even: tuple[float, ...]
    n: int


@dataclass(frozen=True)
class GalleryCase:
    """A responder of a test part, chosen by rule; ``index`` points into the model's `CamMaps`."""

    model: str
    index: int
    percentile: int
    seed: int
    patient_id: str
    p: float
    region: str

    @property
    def key(self) -> str:
        """Tells the case from all others of a report."""
        return f"{self.model} p{self.percentile}"


@dataclass(frozen=True)
class ModelMaps:
    """All that the report shows of one model's maps; ``scale``: value drawn in full colour."""

    model: str
    n: int
    n_zero: int
    n_patients: int
    n_seeds: int
    scale: float
    leads: LeadShares
    cases: tuple[GalleryCase, ...]

    @property
    def all_zero(self) -> bool:
        """True where no map has any positive value, so that there is nothing to show."""
        return self.n_zero == self.n


def model_maps(results: StudyResults) -> tuple[ModelMaps, ...]:
    """Return the facts of every model that has rows in ``lead_regions``."""
    table = results.explanations["lead_regions"]
    found = []
    for name, group in table.groupby("model", sort=False):
        model, rows = str(name), group.reset_index(drop=True)
        cams = results.maps.get(model)
        zero = rows["zero_map"].astype(bool)
        scale = colour_scale(cams) if cams else 0.0
        found.append(
            ModelMaps(
                model=model,
                n=len(rows),
                n_zero=int(zero.sum()),
                n_patients=int(rows["patient_id"].nunique()),
                n_seeds=int(rows["seed"].nunique()),
                scale=scale,
                leads=lead_shares(model, rows, cams),
                cases=choose_cases(model, rows) if scale > 0 else (),
            )
        )
    return tuple(found)


def choose_cases(
    model: str, rows: pd.DataFrame, percentiles: Sequence[int] = GALLERY_PERCENTILES
) -> tuple[GalleryCase, ...]:
    """Choose the cases whose p is nearest to the percentiles of p, among maps that are not zero.

    Ties go to the smaller seed, then to the earlier row; a case is chosen once.

    Args:
        model: name given to the cases.
        rows: ``lead_regions`` of one model, index 0..k-1 as in its maps.
        percentiles: of p over the rows without a zero map.
    """
    usable = rows[~rows["zero_map"].astype(bool) & rows["p"].notna()]
    cases: list[GalleryCase] = []
    for percentile in percentiles:
        left = usable.drop(index=[case.index for case in cases])
        if left.empty:
            break
        target = float(np.percentile(usable["p"].to_numpy(dtype=np.float64), percentile))
        nearest = left.assign(gap=(left["p"] - target).abs()).sort_values(
            ["gap", "seed"], kind="stable"
        )
        row = nearest.iloc[0]
        cases.append(
            GalleryCase(
                model=model,
                index=int(nearest.index[0]),
                percentile=percentile,
                seed=int(row["seed"]),
                patient_id=str(row["patient_id"]),
                p=float(row["p"]),
                region=str(row["region"]),
            )
        )
    return tuple(cases)


def lead_shares(model: str, rows: pd.DataFrame, cams: CamMaps | None) -> LeadShares:
    """Return the mean share of each lead over the maps that are not zero."""
    used = rows.loc[~rows["zero_map"].astype(bool), [f"share_{lead}" for lead in LEADS]]
    return LeadShares(
        model=model,
        leads=LEADS,
        shares=tuple(float(value) for value in used.mean(axis=0)),
        even=_even_shares(cams),
        n=len(used),
    )


def _even_shares(cams: CamMaps | None) -> tuple[float, ...]:
    if cams is None or not cams.boxes:
        return (float("nan"),) * len(LEADS)
    areas = dict.fromkeys(LEADS, 0.0)
    for box in cams.boxes:  # a rhythm strip gives its lead a second box
        areas[box.lead] += abs((box.x1 - box.x0) * (box.y1 - box.y0))
    total = sum(areas.values())
    return tuple(area / total for area in areas.values())


def colour_scale(cams: CamMaps) -> float:
    """Return the map value drawn in full colour for all cases of a model; 0 if all are zero."""
    positive = cams.maps[np.isfinite(cams.maps) & (cams.maps > 0)]
    return float(np.percentile(positive, SCALE_PERCENTILE)) if positive.size else 0.0
