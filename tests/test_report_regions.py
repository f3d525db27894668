"""Counts of regions stand in the report only where networks agree on patients."""

import re
from collections.abc import Sequence
from datetime import UTC, datetime

import numpy as np
import pandas as pd
import pytest

from dyssync.ecg import LEADS
from dyssync.explanation.maps import CamMaps, MapBox
from dyssync.explanation.regions import REGIONS
from dyssync.figures.plate import Plate
from dyssync.report.document import gather_facts, render_html
from dyssync.report.overview import look_over
from dyssync.report.region_facts import region_facts
from dyssync.report.sections import SECTIONS
from dyssync.study.config import StudyConfig
from dyssync.study.lead_maps import agreement_row, region_counts
from dyssync.study.record import RunRecord, environment
from dyssync.study.results import EXPLANATION_TABLES, TABLES, StudyResults

MODEL = "resnet18"
PATIENTS = [f"P{i:02d}" for i in range(30)]
BY_PATIENT = ["limb", "precordial", "both"] * 10


class Stubs(dict[str, Plate]):
    """A smallest possible figure under any key."""

    def __missing__(self, key: str) -> Plate:
        return Plate("stub", "stub", b"", None, 1, 1)


def run_record() -> RunRecord:
    """Return the record of a study that only has maps."""
    return RunRecord.of(
        {
            **StudyConfig().record(),
            **dict.fromkeys(("cohort", "version", "command"), "made"),
            **dict.fromkeys(("cohort_digest", "responses_digest", "clinical_digest"), "0" * 64),
            **dict.fromkeys(("corpus", "corpus_digest", "n_corpus", "bayes_auroc")),
            "encoders": {},
            **{"differs_from_paper": {}, "simulated": False, "pictures": False},
        }
    )


def lead_regions(*networks: Sequence[str]) -> pd.DataFrame:
    """Return rows of lead_regions.csv: what each network calls the maps of the same patients."""
    rows = [
        {"model": MODEL, "seed": seed, "patient_id": patient, "p": 0.5, "region": region}
        for seed, held in enumerate(networks, start=1)
        for patient, region in zip(PATIENTS, held, strict=True)
    ]
    table = pd.DataFrame(rows).assign(zero_map=False, limb_area_share=0.5)
    table = table.assign(limb_share=0.5, precordial_share=0.5)
    return table.assign(**{f"share_{lead}": 1 / len(LEADS) for lead in LEADS})


def results_of(maps: pd.DataFrame) -> StudyResults:
    """Return the results of a study with these maps and 20 untrained networks, all tables made."""
    rng = np.random.default_rng(3)
    untrained = pd.DataFrame(
        [(k, rng.choice(REGIONS[:3])) for k in range(20) for _ in range(6)],
        columns=["network", "region"],
    )
    made = {
        "lead_regions": maps,
        "region_counts": region_counts(MODEL, maps, untrained),
        "region_agreement": [agreement_row(MODEL, maps)],
    }
    pictures = np.full((len(maps), 32, 32), 255, np.uint8)
    boxes = tuple(MapBox(lead, 0.0, 2.0 * i, 32.0, 2.0 * i + 2) for i, lead in enumerate(LEADS))
    cams = CamMaps(np.ones((len(maps), 2, 2), np.float32), pictures, boxes)
    return StudyResults(
        run=run_record(),
        environment=environment(datetime(2026, 1, 1, tzinfo=UTC)),
        tables={name: pd.DataFrame(columns=list(columns)) for name, columns in TABLES.items()},
        explanations={
            name: pd.DataFrame(made.get(name), columns=None if name == "lead_regions" else columns)
            for name, columns in EXPLANATION_TABLES.items()
        },
        maps={MODEL: cams},
        cautions=(),
    )


def section(results: StudyResults) -> str:
    """Return the text of the section on maps, its words one space apart."""
    study = look_over(results)
    page = render_html(study, gather_facts(study), {name: Stubs() for name in SECTIONS})
    (body,) = re.findall(r'<section id="explanation".*?</section>', page, re.DOTALL)
    return " ".join(re.sub(r"<[^>]*>", " ", body).split())


def test_counts_are_given_where_networks_agree_on_patients() -> None:
    results = results_of(lead_regions(BY_PATIENT, BY_PATIENT))
    text = section(results)
    assert "the same name (precordial, limb or both) in 100.0 % of 30 pairs" in text
    assert "would give 33.3 % by itself" in text
    assert "Seed precordial limb both none 1 10 10 10 0 2 10 10 10 0" in text
    # share over networks, and the published one beside it
    assert re.search(r"\blimb 33\.3 % 33\.3 % to 33\.3 % .* 44\.4 %", text)
    assert "Shows. The share of the map's sum" in text.replace("&#39;", "'")


@pytest.mark.parametrize("second", ["limb", "precordial"])
def test_no_count_is_given_where_maps_describe_networks(second: str) -> None:
    results = results_of(lead_regions(["limb"] * 30, [second] * 30))
    text = section(results)
    assert "These maps describe networks, not patients" in text
    assert "30 pairs" in text
    assert "Examples of what a map looks like" in text
    assert "The published study counted 13 precordial, 16 limb and 7 both" in text
    assert "Share of maps by region" not in text
    assert "Maps of each network" not in text
    assert "averaged" not in text
    facts = region_facts(results)[MODEL]
    assert (facts.rows, facts.networks) == ((), ())


def test_one_network_a_patient_is_not_known_and_not_counted() -> None:
    text = section(results_of(lead_regions(BY_PATIENT)))
    assert "Whether these maps describe patients is not known" in text
    assert "describe networks" not in text
    assert "Share of maps by region" not in text
    assert not re.search(r"\bnan\b", text)


def test_shares_are_means_over_networks_and_not_over_maps() -> None:
    maps = lead_regions(["limb"] * 30, ["both"] * 30)
    few = maps[(maps["seed"] == 1) | (maps["patient_id"] < "P03")]  # 30 maps and 3
    table = results_of(few).explanations["region_counts"].set_index("region")
    assert table["share"].to_dict() == {"precordial": 0, "limb": 0.5, "both": 0.5, "none": 0}
    assert table["null_share"].sum() == pytest.approx(1)
    assert table.loc["limb", "study_share"] == pytest.approx(16 / 36)
