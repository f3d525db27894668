"""What the virtual cohort must reach: ranges that published cohorts give, and how each is computed.

The table has a row a patient: columns of cohort.csv and truth.csv, and what was measured on the
tracing (bench_simulation.py).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pandas as pd
from sklearn.metrics import roc_auc_score

RBBB_TYPES = ("rbbb", "rbbb+lafb")


@dataclass(frozen=True)
class Target:
    """A quantity of the cohort, where it must lie, and who has measured it."""

    name: str
    low: float
    high: float
    reached: Callable[[pd.DataFrame], float]
    source: str


def auroc(column: str) -> Callable[[pd.DataFrame], float]:
    """Return a function of the table: how well a column tells responders."""
    return lambda t: float(roc_auc_score(t["responder"], t[column]))


def odds_ratio(column: str, value: object) -> Callable[[pd.DataFrame], float]:
    """Return a function of the table: the odds of response with this value against all others."""

    def ratio(t: pd.DataFrame) -> float:
        has = t[column] == value
        odds = [t["responder"][part].mean() for part in (has, ~has)]
        return float(odds[0] / (1 - odds[0]) / (odds[1] / (1 - odds[1])))

    return ratio


def of_type(column: str, types: tuple[str, ...], what: str) -> Callable[[pd.DataFrame], float]:
    """Return a function of the table: mean, std or median of a column in some conductions."""
    return lambda t: float(getattr(t.loc[t["conduction"].isin(types), column], what)())


def gap(t: pd.DataFrame) -> float:
    """Return by how much the QRS area of responders is larger, uVs."""
    area = t.groupby("responder")["area"].mean()
    return float(area[1] - area[0])


def types_apart(t: pd.DataFrame) -> float:
    """Return by how much LBBB is wider than IVCD, ms."""
    return of_type("qrs", ("lbbb",), "mean")(t) - of_type("qrs", ("ivcd",), "mean")(t)


LBBB, IVCD = ("lbbb",), ("ivcd",)
# Means of QRS area: half of the target's SD either way counts as within; its SD by a third.
TARGETS = (
    Target("responders, share", 0.60, 0.65, lambda t: t["responder"].mean(), "cohorts: 60-70 %"),
    Target("LBBB (ESC criteria), share", 0.55, 0.77, lambda t: t["lbbb"].mean(), "MADIT, SMART-AV"),
    Target("QRS duration mean, ms", 150, 165, lambda t: t["qrs"].mean(), "VALID-CRT, SMART-AV"),
    Target("QRS duration SD, ms", 18, 30, lambda t: t["qrs"].std(), "VALID-CRT"),
    Target("QRS duration LBBB - IVCD, ms", 0.1, 40, types_apart, "LBBB is the wider"),
    Target("QRS area LBBB mean, uVs", 110, 130, of_type("area", LBBB, "mean"), "Mafi Rad"),
    Target("QRS area LBBB SD, uVs", 27, 53, of_type("area", LBBB, "std"), "Mafi Rad"),
    Target("QRS area IVCD mean, uVs", 55, 85, of_type("area", IVCD, "mean"), "70 +/- 30"),
    Target("QRS area IVCD SD, uVs", 20, 40, of_type("area", IVCD, "std"), "70 +/- 30"),
    Target("QRS area RBBB mean, uVs", 37.5, 62.5, of_type("area", RBBB_TYPES, "mean"), "50 +/- 25"),
    Target("QRS area RBBB SD, uVs", 17, 33, of_type("area", RBBB_TYPES, "std"), "50 +/- 25"),
    Target("QRS area responders - others, uVs", 30, 50, gap, "van Deursen 2015"),
    Target("AUROC QRS area", 0.69, 0.76, auroc("area"), "van Stipdonk 2018"),
    Target("AUROC QRS duration", 0.58, 0.63, auroc("qrs"), "van Stipdonk 2018"),
    Target("AUROC LBBB (ESC criteria)", 0.55, 0.60, auroc("lbbb"), "Wouters 2023"),
    Target("odds ratio female", 1.6, 2.5, odds_ratio("sex", "F"), "ScREEN: 2.08"),
    Target("odds ratio ischaemic", 0.2, 0.99, odds_ratio("ischaemic", 1), "Martins 2022"),
    Target("AUROC Bayes", 0.78, 0.82, auroc("p_response"), "chosen"),
    Target("age mean, years", 66, 72, lambda t: t["age"].mean(), "CRT cohorts"),
    Target("age SD, years", 8, 12, lambda t: t["age"].std(), "CRT cohorts"),
    Target("men, share", 0.67, 0.84, lambda t: (t["sex"] == "M").mean(), "CRT cohorts"),
    Target("ischaemic, share", 0.40, 0.63, lambda t: t["ischaemic"].mean(), "EU 40 %, US 63 %"),
    Target("LVEF mean, %", 23, 28, lambda t: t["lvef"].mean(), "Jacobsson: 23"),
    Target("LVEF SD, %", 5, 8, lambda t: t["lvef"].std(), "Jacobsson: 6"),
    Target("AF, share", 0.20, 0.25, lambda t: t["af"].mean(), "assumed"),
    Target("T area LBBB median, uVs", 70, 100, of_type("t_area_uvs", LBBB, "median"), "assumed"),
    Target("SAI QRST median, mV ms", 242, 362, lambda t: t["sai"].median(), "Jacobsson: 302"),
    Target(
        "axis left of -30 in LBBB, share",
        0.25,
        0.45,
        of_type("left", LBBB, "mean"),
        "PMC6196157",
    ),
    Target("LBBB V1 QS or rS, share", 0.9, 1, of_type("v1_negative", LBBB, "mean"), "ESC 2021"),
    Target("LBBB broad lateral R, share", 0.9, 1, of_type("broad_r", LBBB, "mean"), "ESC 2021"),
    Target("LBBB discordant T, share", 0.9, 1, of_type("discordant", LBBB, "mean"), "AHA 2009"),
    Target("RBBB V1 ends in R, share", 0.9, 1, of_type("late_r", RBBB_TYPES, "mean"), "AHA 2009"),
    Target("RBBB S in I or V6, share", 0.9, 1, of_type("late_s", RBBB_TYPES, "mean"), "AHA 2009"),
)
