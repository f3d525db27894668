"""Draw the pictures of docs/virtual-cohort.md.

    python tools/draw_virtual_cohort.py [--out docs/images/virtual] [--table cohort.csv]

`--table` is what `bench_simulation.py --csv` kept; without it the distributions are not drawn.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.collections import PathCollection
from PIL import Image

from dyssync.arrays import Floats
from dyssync.layouts import LAYOUTS
from dyssync.rendering import PageOptions, render_page
from dyssync.simulation.activation import activation_times, travel_graph
from dyssync.simulation.cohort import patient_rng
from dyssync.simulation.conduction import CONDUCTION_TYPES, pacing_sites
from dyssync.simulation.heart import Heart, build_heart
from dyssync.simulation.patient import PatientParameters, simulate_patient
from dyssync.simulation.population import draw_patient
from dyssync.simulation.recording import FS
from dyssync.simulation.scar import scar_density

SEED = 20
DPI = 75


def first_of(conduction: str) -> tuple[PatientParameters, np.random.Generator]:
    """Return the first patient with this conduction; candidates for CRT where they have it."""
    for population in ("crt", "archive"):
        for k in range(120):
            rng = patient_rng(SEED, k)
            parameters = draw_patient(rng, population)
            if parameters.ventricles.conduction == conduction:
                return parameters, rng
    raise LookupError(conduction)


def draw_bulls_eye(axis: Axes, heart: Heart, times: Floats, title: str) -> PathCollection:
    """Draw activation of the LV wall seen from the apex: septum left, base outside."""
    lv = heart.is_lv
    angle, radius = np.pi - heart.angle[lv], 1 - heart.level[lv]
    dots = axis.scatter(
        angle, radius, c=times[lv], s=6, cmap="turbo", vmin=0, vmax=160, linewidths=0
    )
    axis.set(
        title=f"{title}\nseptum left, lateral wall right",
        yticks=[],
        xticks=[0, np.pi / 2, np.pi, 3 * np.pi / 2],
    )
    axis.set_xticklabels(["", "inferior", "", "anterior"], fontsize=8)
    return dots


def draw_activation(path: Path) -> None:
    """Draw one LBBB heart as it is and paced from both sides."""
    parameters, _ = first_of("lbbb")
    ventricles = parameters.ventricles
    heart = build_heart(ventricles.shape)
    graph = travel_graph(heart, ventricles.tissue, scar_density(heart, ventricles.scar))
    starts = [ventricles.sites, pacing_sites(parameters.pacing, ventricles.sites)[0]]
    times = activation_times(heart, graph, starts)
    figure, axes = plt.subplots(1, 2, figsize=(8, 4), subplot_kw={"projection": "polar"})
    for axis, row, title in zip(axes, times, ("LBBB", "paced, RV apex + LV lead"), strict=True):
        dots = draw_bulls_eye(axis, heart, row, title)
    figure.colorbar(dots, ax=axes, label="activation, ms", shrink=0.8)
    figure.savefig(path, dpi=DPI)
    plt.close(figure)


def draw_pages(path: Path) -> None:
    """Draw one 12-lead page for each kind of conduction."""
    tiles = []
    for conduction in CONDUCTION_TYPES:
        parameters, rng = first_of(conduction)
        signal = simulate_patient(parameters, rng, with_response=False).signal
        options = PageOptions(header=(f"simulated: {conduction}",))
        page = render_page(signal, FS, LAYOUTS["3x4"], dpi=55, options=options)
        tiles.append(page.image[: round(0.8 * page.image.shape[0])])
    rows = [np.concatenate(tiles[i : i + 2], axis=1) for i in range(0, len(tiles), 2)]
    picture = Image.fromarray(np.concatenate(rows, axis=0))
    picture.quantize(32).save(path, optimize=True)


def draw_distributions(table: pd.DataFrame, path: Path) -> None:
    """Draw what was measured on the tracings, by conduction and by response."""
    figure, axes = plt.subplots(1, 3, figsize=(10, 3.2))
    for conduction, part in table.groupby("conduction"):
        axes[0].hist(part["qrs"], np.arange(80, 260, 10), histtype="step", label=conduction)
        axes[1].hist(part["area"], np.arange(0, 260, 12), histtype="step", label=conduction)
    for responder, part in table.groupby("responder"):
        label = "responders" if responder else "others"
        axes[2].hist(
            part["area"], np.arange(0, 260, 12), histtype="step", density=True, label=label
        )
    axes[0].set(xlabel="QRS duration, ms", ylabel="patients")
    axes[1].set(xlabel="QRS area, uVs")
    axes[2].set(xlabel="QRS area, uVs", ylabel="density")
    axes[0].axvspan(150, 165, color="0.9", label="mean, target")
    for low, high in ((110, 130), (55, 85), (37.5, 62.5)):  # LBBB, IVCD, RBBB
        axes[1].axvspan(low, high, color="0.9", label="means of types, targets")
    for axis in (axes[0], axes[2]):
        handles = dict(zip(*axis.get_legend_handles_labels()[::-1], strict=True))  # one a label
        axis.legend(handles.values(), handles.keys(), fontsize=6)
    figure.tight_layout()
    figure.savefig(path, dpi=DPI)
    plt.close(figure)


def main() -> None:
    """Draw all pictures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("docs/images/virtual"))
    parser.add_argument("--table", type=Path)
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    draw_activation(args.out / "activation.png")
    draw_pages(args.out / "pages.png")
    if args.table:
        table = pd.read_csv(args.table)
        draw_distributions(table[table["failed"] == 0], args.out / "distributions.png")


if __name__ == "__main__":
    main()
