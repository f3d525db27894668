"""What the report says about the regions of a model's maps: of patients, of networks, nothing."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import pandas as pd

from dyssync.explanation.agreement import kappa
from dyssync.explanation.networks import STUDY_COUNTS, FitTest, published_against
from dyssync.explanation.regions import REGIONS
from dyssync.report.wording import DASH, MetricWords, p_value, percent
from dyssync.study.results import StudyResults

POINTS, NUMBER = MetricWords("", percent=True), MetricWords("")

# do networks agree on patients? unknown: no two networks were asked about one patient, or too few
Verdict: TypeAlias = Literal["above", "not above", "unknown"]


@dataclass(frozen=True)
class RegionRow:
    """Mean share of a region over networks, beside untrained networks and the published study."""

    region: str
    share: str
    interval: str
    null: str
    null_interval: str
    study: str


@dataclass(frozen=True)
class NetworkRow:
    """How many maps of one network have each name, in the order of `REGIONS`."""

    seed: int
    counts: tuple[int, ...]


@dataclass(frozen=True)
class RegionFacts:
    """All that the report says of one model's regions.

    Attributes:
        verdict: whether networks agree on patients more than their marginals give.
        n_pairs: pairs of maps of one patient by two networks.
        agreement: share of pairs with the same name.
        expected: what the marginals give.
        difference: interval of (agreement - expected), in points.
        kappa: Cohen's, of all pairs.
        rows: shares; empty unless the verdict is "above".
        networks: counts; empty unless the verdict is "above".
        null: share of each published region among untrained networks, as text.
        published: test of the published counts against those, as text; "" where there is none.
    """

    verdict: Verdict
    n_pairs: int
    agreement: str
    expected: str
    difference: str
    kappa: str
    rows: tuple[RegionRow, ...]
    networks: tuple[NetworkRow, ...]
    null: Mapping[str, str]
    published: str

    @property
    def counted(self) -> bool:
        """Whether counts of regions say something about patients, and so are shown."""
        return self.verdict == "above"


def region_facts(results: StudyResults) -> dict[str, RegionFacts]:
    """Return the facts of every model that has a row in ``region_agreement``, by model."""
    tables = results.explanations
    found = {}
    for row in tables["region_agreement"].to_dict("records"):
        model = str(row["model"])
        own = {name: _of(tables[name], model) for name in ("lead_regions", "region_counts")}
        found[model] = _facts(
            row, own["lead_regions"], own["region_counts"].set_index("region", drop=False)
        )
    return found


def _of(table: pd.DataFrame, model: str) -> pd.DataFrame:
    return table[table["model"].astype(str) == model]


def _facts(row: Mapping[Any, Any], maps: pd.DataFrame, shares: pd.DataFrame) -> RegionFacts:
    verdict = _verdict(row["low"])
    counted = verdict == "above"
    null = {name: float(shares["null_share"].get(name, float("nan"))) for name in STUDY_COUNTS}
    return RegionFacts(
        verdict=verdict,
        n_pairs=int(row["n_pairs"]),
        agreement=percent(row["agreement"], 1),
        expected=percent(row["expected"], 1),
        difference=f"{POINTS.number(row['low'], signed=True)} to "
        f"{POINTS.number(row['high'], signed=True)} points",
        kappa=NUMBER.number(kappa(row["agreement"], row["expected"])),
        rows=_region_rows(shares) if counted else (),
        networks=_network_rows(maps) if counted else (),
        null={name: percent(share) for name, share in null.items()},
        published=_test(published_against(null)),
    )


def _test(found: FitTest) -> str:
    if math.isnan(found.chi2):
        return ""
    return f"chi-squared {found.chi2:.2f}, df {found.df}, {p_value(found.p_value)}"


def _verdict(low: float) -> Verdict:
    """Judge by the lower end of the interval; what is not known is never "not above"."""
    return "unknown" if pd.isna(low) else "above" if low > 0 else "not above"


def _region_rows(shares: pd.DataFrame) -> tuple[RegionRow, ...]:
    """Return the shares by region, in the order of the table."""
    return tuple(
        RegionRow(
            region=str(row["region"]),
            share=percent(row["share"], 1),
            interval=_interval(row["low"], row["high"]),
            null=percent(row["null_share"], 1),
            null_interval=_interval(row["null_low"], row["null_high"]),
            study=percent(row["study_share"], 1) if row["region"] in STUDY_COUNTS else DASH,
        )
        for row in shares.to_dict("records")
    )


def _interval(low: float, high: float) -> str:
    if pd.isna(low):
        return "no interval"
    return f"{percent(low, 1)} to {percent(high, 1)}"


def _network_rows(maps: pd.DataFrame) -> tuple[NetworkRow, ...]:
    """Return the counts of each network, in the order of the seeds."""
    rows = []
    for seed, held in maps.groupby("seed", sort=True):
        regions = held["region"].to_list()
        rows.append(NetworkRow(int(str(seed)), tuple(regions.count(name) for name in REGIONS)))
    return tuple(rows)
