"""What an image model looked at, in the folder of its task; and gathered from all of them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import pandas as pd

from dyssync.arrays import Floats
from dyssync.ecg import LEADS, LIMB_LEADS
from dyssync.explanation.agreement import region_agreement
from dyssync.explanation.explain import Explanation, explain
from dyssync.explanation.maps import CamMaps
from dyssync.explanation.networks import (
    STUDY_SHARES,
    mean_share,
    region_shares,
    untrained_numbers,
)
from dyssync.explanation.regions import REGIONS
from dyssync.explanation.untrained import untrained_regions
from dyssync.image import Input
from dyssync.models.protocols import LooksAtPictures
from dyssync.study.plan import Material, Task
from dyssync.study.results import EXPLANATION_TABLES, read_csv, write_csv

REGIONS_FILE, UNTRAINED_FILE = "lead_regions.csv", "untrained_regions.csv"
MAPS_FILE = "cams.npz"
AGREEMENT_STREAM = 0xA64  # apart from every other use of a seed

Row: TypeAlias = tuple[Any, ...]


def write_lead_maps(
    folder: Path, task: Task, model: LooksAtPictures, inputs: Sequence[Input], material: Material
) -> None:
    """Write the Grad-CAM maps of these recordings, their shares by lead, and untrained networks'.

    Args:
        folder: of the task.
        task: a cell.
        model: fitted.
        inputs: signals, one a responder of the test part.
        material: of the study.
    """
    config = material.config
    found = explain(model, inputs, config.gradcam_stage, config.region_cut)
    write_csv(folder / REGIONS_FILE, region_rows(task, found))
    numbers = untrained_numbers(task.seed - 1, len(material.splits))
    write_csv(folder / UNTRAINED_FILE, _untrained_rows(model, found, numbers, material))
    found.maps.save(folder / MAPS_FILE)


def _untrained_rows(
    model: LooksAtPictures, found: Explanation, numbers: Sequence[int], material: Material
) -> pd.DataFrame:
    """Return network and region of each map of untrained networks of the same pictures."""
    config, rows = material.config, []
    for number in numbers:
        regions = untrained_regions(
            model,
            found.maps.pictures,
            found.weights,
            stage=config.gradcam_stage,
            cut=config.region_cut,
            number=number,
        )
        rows += [(number, region) for region in regions]
    return pd.DataFrame(rows, columns=["network", "region"])


def region_rows(task: Task, found: Explanation) -> pd.DataFrame:
    """Return the rows of lead_regions.csv, one a recording."""
    n_limb, shares = len(LIMB_LEADS), found.shares
    table = pd.DataFrame(
        {
            "model": task.model,
            "seed": task.seed,
            "patient_id": found.patients,
            "p": found.p,
            "limb_share": shares[:, :n_limb].sum(axis=1),
            "precordial_share": shares[:, n_limb:].sum(axis=1),
            "limb_area_share": found.weights.limb_area_share,
            "region": found.regions,
            "zero_map": ~np.isfinite(shares).all(axis=1),
        }
    )
    return table.assign(**{f"share_{lead}": shares[:, i] for i, lead in enumerate(LEADS)})


def gather_lead_maps(
    folders: Sequence[tuple[str, Path]],
) -> tuple[dict[str, pd.DataFrame], dict[str, CamMaps]]:
    """Return the tables of the maps, and the maps of every image model.

    Args:
        folders: model and folder of every cell.
    """
    by_model: dict[str, list[Path]] = {}
    for name, folder in folders:
        if (folder / REGIONS_FILE).is_file():
            by_model.setdefault(name, []).append(folder)
    regions: list[pd.DataFrame] = []
    counts: list[Row] = []
    agreement: list[Row] = []
    for name, held in by_model.items():
        trained = pd.concat([read_csv(folder / REGIONS_FILE) for folder in held])
        untrained = pd.concat([read_csv(folder / UNTRAINED_FILE) for folder in held])
        regions.append(trained)
        counts += region_counts(name, trained, untrained)
        agreement.append(agreement_row(name, trained))
    tables = {
        "lead_regions": pd.concat(regions) if regions else _explanation_table("lead_regions", []),
        "region_counts": _explanation_table("region_counts", counts),
        "region_agreement": _explanation_table("region_agreement", agreement),
    }
    maps = {
        name: CamMaps.joined([CamMaps.load(folder / MAPS_FILE) for folder in held])
        for name, held in by_model.items()
    }
    return tables, maps


def region_counts(model: str, trained: pd.DataFrame, untrained: pd.DataFrame) -> list[Row]:
    """Return the rows of region_counts.csv of a model, one a region.

    Args:
        model: name given to the rows.
        trained: columns seed and region, a row a map.
        untrained: columns network and region, a row a map.
    """
    shares, null = _shares_by(trained, "seed"), _shares_by(untrained, "network")
    rows: list[Row] = []
    for k, region in enumerate(REGIONS):
        own, other = mean_share(shares[:, k]), mean_share(null[:, k])
        published = STUDY_SHARES.get(region)
        rows.append((model, region, *own, other.mean, published, other.low, other.high))
    return rows


def agreement_row(model: str, trained: pd.DataFrame) -> Row:
    """Return the row of region_agreement.csv of a model, from its rows of lead_regions.csv."""
    found = region_agreement(
        [str(patient) for patient in trained["patient_id"]],
        trained["seed"].to_list(),
        trained["region"].to_list(),
        np.random.default_rng(np.random.SeedSequence([AGREEMENT_STREAM])),
    )
    ends = (found.low, found.high, found.above_chance)
    return (model, found.n_pairs, found.agreement, found.expected, *ends)


def _shares_by(table: pd.DataFrame, network: str) -> Floats:
    """Return the share of each region among the maps of each network, (J, 4)."""
    shares = [region_shares(held["region"].to_list()) for _, held in table.groupby(network)]
    return np.array(shares).reshape(-1, len(REGIONS))


def _explanation_table(name: str, rows: Sequence[Row]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=list(EXPLANATION_TABLES[name]))
