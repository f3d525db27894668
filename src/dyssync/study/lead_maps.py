"""What an image model looked at, in the folder of its task; and gathered from all of them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from dyssync.ecg import LEADS, LIMB_LEADS
from dyssync.explanation.explain import Explanation, explain
from dyssync.explanation.maps import CamMaps
from dyssync.explanation.regions import REGIONS, STUDY_SHARES, chance_shares
from dyssync.image import Input
from dyssync.models.protocols import LooksAtPictures
from dyssync.study.plan import Material, Task
from dyssync.study.results import EXPLANATION_TABLES, read_csv, read_json, write_csv, write_json

REGIONS_FILE, CHANCE_FILE, MAPS_FILE = "lead_regions.csv", "chance.json", "cams.npz"
CHANCE_STREAM = 0xCA4  # apart from every other use of the seed


def write_lead_maps(
    folder: Path, task: Task, model: LooksAtPictures, inputs: Sequence[Input], material: Material
) -> None:
    """Write the Grad-CAM maps of these recordings, their shares by lead, and those of chance.

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
    rng = np.random.default_rng(np.random.SeedSequence([task.seed, CHANCE_STREAM]))
    chance = chance_shares(found.maps.maps, found.weights, rng, config.region_cut)
    write_json(folder / CHANCE_FILE, chance)
    found.maps.save(folder / MAPS_FILE)


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
    """Return the tables lead_regions and region_counts, and the maps of every image model.

    Args:
        folders: model and folder of every cell.
    """
    by_model: dict[str, list[Path]] = {}
    for name, folder in folders:
        if (folder / REGIONS_FILE).is_file():
            by_model.setdefault(name, []).append(folder)
    columns = list(EXPLANATION_TABLES["region_counts"])
    if not by_model:
        empty = pd.DataFrame(columns=list(EXPLANATION_TABLES["lead_regions"]))
        return {"lead_regions": empty, "region_counts": pd.DataFrame(columns=columns)}, {}
    regions = {
        name: pd.concat([read_csv(folder / REGIONS_FILE) for folder in held])
        for name, held in by_model.items()
    }
    rows = []
    for name, held in by_model.items():
        called = regions[name]["region"]
        chances = [read_json(folder / CHANCE_FILE) for folder in held]
        for region in REGIONS:
            count = int((called == region).sum())
            chance = float(np.mean([c[region] for c in chances]))
            share = STUDY_SHARES.get(region)
            rows.append((name, region, count, count / max(1, len(called)), chance, share))
    maps = {
        name: CamMaps.joined([CamMaps.load(folder / MAPS_FILE) for folder in held])
        for name, held in by_model.items()
    }
    tables = {
        "lead_regions": pd.concat(regions.values()),
        "region_counts": pd.DataFrame(rows, columns=columns),
    }
    return tables, maps
