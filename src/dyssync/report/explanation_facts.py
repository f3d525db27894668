"""What the report says about the Grad-CAM maps: counts by region, shares by lead, chosen cases."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from dyssync.cohort.clinical import CLINICAL
from dyssync.ecg import LEADS
from dyssync.explanation.maps import CamMaps
from dyssync.measurements import DEFINITIONS
from dyssync.report.wording import percent
from dyssync.study.results import EXPLANATION_TABLES, StudyResults

GALLERY_PERCENTILES = (10, 50, 90)
# One colour scale for all maps of a model keeps patients comparable; the 99th percentile of the
# non-zero values keeps one extreme cell from fading all others.
SCALE_PERCENTILE = 99.0
TOP_FEATURES = 5
CLEAR_DIRECTION = 0.5  # rank correlation; below, small and large values work the same way


@dataclass(frozen=True)
class RegionRow:
    """How many maps of a model fell into a region, beside chance and the published study."""

    model: str
    region: str
    count: int
    share: str
    chance: str
    study: str


@dataclass(frozen=True)
class FeatureRow:
    """One of the features that moved a model's predictions most.

    Attributes:
        model: name.
        feature: name, unit inside.
        meaning: how it is defined; "" for samples of the beat.
        size: mean size of its contribution over test patients and seeds, log-odds.
        direction: which way larger values work.
    """

    model: str
    feature: str
    meaning: str
    size: str
    direction: str


@dataclass(frozen=True)
class LeadShares:
    """Mean share of the map's sum in each lead; ``even``: what an even map gives (box areas).

    Attributes:
        leads: names, standard order first.
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


def region_rows(results: StudyResults) -> tuple[RegionRow, ...]:
    """Return the counts by region in the order of the table."""
    return tuple(
        RegionRow(
            model=str(row["model"]),
            region=str(row["region"]),
            count=int(row["count"]),
            share=percent(float(row["share"]), 1),
            chance=percent(float(row["chance_share"]), 1),
            study=percent(float(row["study_share"]), 1),
        )
        for row in explanation_table(results, "region_counts").to_dict("records")
    )


def feature_rows(results: StudyResults) -> tuple[FeatureRow, ...]:
    """Return the most important features of every model that explains itself."""
    table = explanation_table(results, "importances")
    meanings = {d.name: d.meaning for d in DEFINITIONS}
    meanings |= {name: column.meaning for name, column in CLINICAL.items()}
    rows = []
    for _, held in table.groupby("model", sort=False):
        used = held[held["mean_abs_log_odds"] > 0].head(TOP_FEATURES)
        rows += [
            FeatureRow(
                model=str(row["model"]),
                feature=str(row["feature"]),
                meaning=meanings.get(str(row["feature"]), ""),
                size=f"{float(row['mean_abs_log_odds']):.2f}",
                direction=_direction(float(row["direction"])),
            )
            for row in used.to_dict("records")
        ]
    return tuple(rows)


def _direction(correlation: float) -> str:
    """Word the rank correlation of value and contribution."""
    if not np.isfinite(correlation) or abs(correlation) < CLEAR_DIRECTION:
        return "mixed"
    return "larger: likelier" if correlation > 0 else "larger: less likely"


def model_maps(results: StudyResults) -> tuple[ModelMaps, ...]:
    """Return the facts of every model that has rows in ``lead_regions``."""
    table = explanation_table(results, "lead_regions")
    found = []
    for name, group in table.groupby("model", sort=False):
        model, rows = str(name), group.reset_index(drop=True)
        cams = results.maps.get(model)
        zero = rows["zero_map"].astype(bool)
        found.append(
            ModelMaps(
                model=model,
                n=len(rows),
                n_zero=int(zero.sum()),
                n_patients=int(rows["patient_id"].nunique()),
                n_seeds=int(rows["seed"].nunique()),
                scale=colour_scale(cams) if cams else 0.0,
                leads=lead_shares(model, rows, cams),
                cases=choose_cases(model, rows) if cams else (),
            )
        )
    return tuple(found)


def explanation_table(results: StudyResults, name: str) -> pd.DataFrame:
    """Return an explanation table; an empty one where the run made none."""
    empty = pd.DataFrame(columns=list(EXPLANATION_TABLES[name]))
    return results.explanations.get(name, empty)


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
    """Return the mean of the columns ``share_<lead>`` over the maps that are not zero."""
    columns = [c for c in rows.columns if c.startswith("share_")]
    order = {lead: position for position, lead in enumerate(LEADS)}
    columns.sort(key=lambda c: order.get(c.removeprefix("share_"), len(LEADS)))
    used = rows.loc[~rows["zero_map"].astype(bool), columns].apply(pd.to_numeric)
    leads = tuple(c.removeprefix("share_") for c in columns)
    return LeadShares(
        model=model,
        leads=leads,
        shares=tuple(float(value) for value in used.mean(axis=0)),
        even=_area_shares(leads, cams),
        n=len(used),
    )


def _area_shares(leads: tuple[str, ...], cams: CamMaps | None) -> tuple[float, ...]:
    if cams is None or not cams.boxes:
        return tuple(float("nan") for _ in leads)
    areas = dict.fromkeys(leads, 0.0)
    for lead, x0, y0, x1, y1 in cams.boxes:  # a rhythm strip gives its lead a second box
        if lead in areas:
            areas[lead] += abs((x1 - x0) * (y1 - y0))
    total = sum(areas.values())
    return tuple(areas[lead] / total if total else float("nan") for lead in leads)


def colour_scale(cams: CamMaps) -> float:
    """Return the map value drawn in full colour for all cases of a model; 0 if all are zero."""
    positive = cams.maps[np.isfinite(cams.maps) & (cams.maps > 0)]
    return float(np.percentile(positive, SCALE_PERCENTILE)) if positive.size else 0.0
