"""Print the calibration of the virtual cohort: target, reached, within; then speed and memory.

    python benchmarks/bench_simulation.py [--patients 2000] [--seed 20] [--ecgs 10000] [--csv FILE]
    python benchmarks/bench_simulation.py --again FILE   the response anew, tracings as kept in FILE

Durations, areas and criteria are measured on the finished tracings as a user's ECG would be; the
latent truth is used only for the Bayes AUROC and to group by conduction.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Hashable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from dyssync.cohort.shards import SHARD
from dyssync.ecg import ECG, LEAD_INDEX
from dyssync.errors import InputError
from dyssync.measurements.bundle_branch import lbbb_esc, lbbb_strauss, rbbb
from dyssync.measurements.heartbeat import Heartbeat, heartbeat
from dyssync.simulation.choices import CALIBRATED, FOREIGN
from dyssync.simulation.cohort import (
    COHORTS,
    make_patient,
    simulate_cohort,
)
from dyssync.simulation.corpus import simulate_corpus
from dyssync.simulation.population import Population
from dyssync.simulation.recording import FS
from dyssync.simulation.response import (
    RESPONSE_PERCENT,
    Dyssynchrony,
    Rule,
    Substrate,
    expected_fall,
    response_probability,
)
from dyssync.simulation.rows import cohort_row, truth_row
from dyssync.workers import each
from resident import resident_mb
from simulation_targets import TARGETS

LATERAL = ("I", "aVL", "V5", "V6")


def morphology(beat: Heartbeat) -> dict[str, float]:
    """Look at the typical beat for what a bundle branch block looks like; each 0 or 1."""
    v1 = beat.waves[LEAD_INDEX["V1"]]
    names = [wave.name for wave in v1]
    positive = {lead: beat.height(lead) > beat.depth(lead) for lead in LATERAL}
    broad = [
        lead
        for lead in LATERAL
        if positive[lead]
        and any(
            w.amplitude > 0 and beat.ms(w.end - w.start) >= 60 for w in beat.waves_in(lead).values()
        )
    ]
    after = beat.marks.qrs_off + round(0.08 * beat.fs)  # past the J point
    t_area = beat.signal[:, after : beat.marks.t_off].sum(axis=1)
    return {
        "v1_negative": names in (["QS"], ["R", "S"]) and beat.height("V1") < beat.depth("V1"),
        "broad_r": bool(broad),
        "discordant": t_area[LEAD_INDEX["V1"]] > 0
        and any(t_area[LEAD_INDEX[lead]] < 0 for lead in broad),
        "late_r": bool(v1) and v1[-1].amplitude > 0,
        "late_s": any("S" in beat.waves_in(lead) for lead in ("I", "V6")),
    }


def measured_row(seed: int, population: Population, k: int) -> dict[str, object]:
    """Simulate patient `k` and measure the tracing; NaN where no beat is found."""
    name, parameters, patient = make_patient(seed, k, population)
    row = {**cohort_row(name, parameters, patient), **truth_row(name, parameters, patient)}
    before, after = patient.lvesv_baseline_ml, patient.lvesv_followup_ml
    row["responder"] = int((before - after) / before >= 0.15)
    row["hidden_sd"] = parameters.rule.hidden_sd
    clinical = parameters.clinical
    try:
        beat = heartbeat(ECG(patient.signal, FS, age=clinical.age, sex=clinical.sex))
    except InputError:
        return row | {"failed": 1}
    marks = beat.marks
    loop = beat.loop
    net = beat.qrs.max(axis=1) + beat.qrs.min(axis=1)
    axis = np.degrees(np.arctan2(2 / np.sqrt(3) * net[LEAD_INDEX["aVF"]], net[0]))
    sai = np.nan
    if marks.t_off is not None:
        sai = beat.area(np.abs(loop), marks.qrs_on, marks.t_off).sum()
    return row | {
        "failed": 0,
        "qrs": beat.qrs_ms,
        "area": float(np.linalg.norm(beat.area(loop, marks.qrs_on, marks.qrs_off))),
        "sai": float(sai),
        "left": float(axis < -30),
        "lbbb": lbbb_esc(beat).number,
        "strauss": lbbb_strauss(beat).number,
        "rbbb_rule": rbbb(beat).number,
        **{key: float(value) for key, value in morphology(beat).items()},
    }


def measured_table(n: int, seed: int, population: Population, workers: int) -> pd.DataFrame:
    """Simulate and measure the first `n` patients of `seed`."""
    measure = partial(measured_row, seed, population)
    return pd.DataFrame(list(each(measure, range(n), workers=workers)))


def respond_again(table: pd.DataFrame, rule: Rule) -> pd.DataFrame:
    """Return the table with the response of the present coefficients to the same hearts and luck.

    The hidden part of each response is kept, scaled to the present SD.
    """
    luck = (table["fall_percent"] - table["expected_fall_percent"]) / table["hidden_sd"]
    expected = np.array([expected_again(row, rule) for row in table.to_dict("records")])
    fall = expected + rule.hidden_sd * luck
    return table.assign(
        expected_fall_percent=expected,
        fall_percent=fall,
        hidden_sd=rule.hidden_sd,
        p_response=[response_probability(rule, value) for value in expected],
        responder=(fall >= RESPONSE_PERCENT).astype(int),
    )


def expected_again(row: Mapping[Hashable, Any], rule: Rule) -> float:
    """Return the expected fall in LVESV of one heart by the present coefficients, %."""
    return expected_fall(
        rule,
        Dyssynchrony(row["dispersion_intrinsic_ms"], row["wall_delay_intrinsic_ms"]),
        Dyssynchrony(row["dispersion_paced_ms"], row["wall_delay_paced_ms"]),
        row["living_muscle_ml"],
        Substrate(row["scar_share"], row["lv_radius_mm"], row["sex"] == "F"),
    )


def print_targets(table: pd.DataFrame) -> None:
    """Print each target, what was reached, and whether that lies within."""
    print(f"{'quantity':36} {'target':>15} {'reached':>9}  within  source")
    for target in TARGETS:
        reached = target.reached(table)
        within = "yes" if target.low <= reached <= target.high else "NO"
        span = f"{target.low:g}-{target.high:g}"
        print(f"{target.name:36} {span:>15} {reached:9.3f}  {within:6}  {target.source}")


def print_types(table: pd.DataFrame) -> None:
    """Print what was measured by kind of conduction, and how far off the truth it is."""
    kinds = table.groupby("conduction").agg(
        n=("qrs", "size"),
        responders=("responder", "mean"),
        qrs=("qrs", "mean"),
        qrs_sd=("qrs", "std"),
        area=("area", "mean"),
        area_sd=("area", "std"),
        lbbb_esc=("lbbb", "mean"),
        strauss=("strauss", "mean"),
        rbbb_rule=("rbbb_rule", "mean"),
    )
    print("\n" + kinds.round(2).to_string())
    off = table["qrs"] - table["qrs_ms"]
    print(
        f"\nmeasured minus true QRS duration: {off.mean():.1f} +/- {off.std():.1f} ms; "
        f"area: {(table['area'] - table['qrs_area_uvs']).mean():.1f} uVs"
    )


def print_speed(workers: int, ecgs: int) -> None:
    """Print patients and ECGs a second, and the memory that grows or does not."""
    with tempfile.TemporaryDirectory() as folder:
        start = time.perf_counter()
        simulate_cohort(400, 1, Path(folder) / "cohort", workers=workers)
        seconds = time.perf_counter() - start
        print(f"\ncohort: {400 / seconds:.1f} patients a second on {workers} processes")
        peaks: list[str] = []

        def watch(done: int, of: int = ecgs) -> None:
            if done and done % (SHARD * 8) == 0:
                peaks.append(f"{done}: {resident_mb():.0f}")

        start = time.perf_counter()
        simulate_corpus(ecgs, 1, Path(folder) / "corpus", workers=workers, on_progress=watch)
        seconds = time.perf_counter() - start
        size = sum(p.stat().st_size for p in (Path(folder) / "corpus").iterdir())
        print(
            f"corpus: {ecgs} ECGs, {ecgs / seconds:.1f} a second on {workers} processes, "
            f"{size / 1e6:.0f} MB"
        )
        print("resident MB of all processes after ECGs: " + ", ".join(peaks))


def main() -> None:
    """Print the calibration, then speed and memory."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--patients", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=20)
    parser.add_argument("--population", choices=COHORTS, default="crt")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--ecgs", type=int, default=10_000, help="0 leaves speed and memory out")
    parser.add_argument("--csv", type=Path, help="where to keep the table")
    parser.add_argument("--again", type=Path, help="a table that --csv kept")
    args = parser.parse_args()
    if args.again:
        rule = (FOREIGN if args.population == "foreign" else CALIBRATED).rule
        table = respond_again(pd.read_csv(args.again), rule)
        print(f"{len(table)} patients of {args.again.name}; the response anew")
    else:
        table = measured_table(args.patients, args.seed, args.population, args.workers)
        print(f"{args.patients} patients ({args.population}) of seed {args.seed}")
    print(f"{int(table['failed'].sum())} could not be measured")
    if args.csv:
        table.to_csv(args.csv, index=False)
    measured = table[table["failed"] == 0]
    print_targets(measured)
    print_types(measured)
    if args.ecgs and not args.again:
        print_speed(args.workers, args.ecgs)


if __name__ == "__main__":
    main()
