"""The report of a study, from a real run kept with the tests and from variations of it."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from dyssync.evaluation.comparisons import compare_models
from dyssync.evaluation.estimates import estimates
from dyssync.evaluation.protocol import metric_table, summarise_metrics
from dyssync.figures.palette import looks
from dyssync.figures.plate import Plate
from dyssync.report import write_report
from dyssync.report.document import gather_facts, render_html
from dyssync.report.overview import look_over
from dyssync.report.sections import SECTIONS
from dyssync.study.results import StudyResults

# one process: what its tests share takes a while to make
pytestmark = pytest.mark.xdist_group("report")

TEST_SHARE = 0.25


def with_tables(
    results: StudyResults, predictions: pd.DataFrame, answers: pd.DataFrame
) -> StudyResults:
    """Return the results with these predictions and answers, and all that follows from them."""
    threshold = results.run.threshold
    metrics = metric_table(predictions, threshold)
    tables = {
        "predictions": predictions,
        "metrics": metrics,
        "summary": summarise_metrics(metrics, TEST_SHARE),
        "answers": answers,
        "estimates": estimates(answers, [threshold], seed=0),
        "comparisons": compare_models(answers, threshold),
        "stability": results.tables["stability"].iloc[:0],
    }
    return replace(results, tables={**results.tables, **tables})


def unexplained(results: StudyResults) -> StudyResults:
    """Return the results without maps, importances and rules."""
    nothing = {name: table.iloc[:0] for name, table in results.explanations.items()}
    return replace(results, explanations=nothing, maps={}, contributions={})


def only(results: StudyResults, models: Sequence[str], seed: int) -> StudyResults:
    """Return the results of these models in one fit, without explanations."""
    splits = results.tables["splits"]
    tables = {**results.tables, "splits": splits[splits["seed"] == seed]}
    predictions, answers = tables["predictions"], tables["answers"]
    fitted = predictions["model"].isin(models) & (predictions["seed"] == seed)
    return with_tables(
        replace(unexplained(results), tables=tables),
        predictions[fitted],
        answers[answers["model"].isin(models)],
    )


def renamed(results: StudyResults, names: Mapping[str, str]) -> StudyResults:
    """Return the results with models called by other names."""
    return replace(
        results,
        tables={n: table.replace(dict(names)) for n, table in results.tables.items()},
        explanations={n: table.replace(dict(names)) for n, table in results.explanations.items()},
        maps={names.get(model, model): cams for model, cams in results.maps.items()},
    )


@pytest.fixture(scope="module")
def folder(golden_run: StudyResults, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("run")
    write_report(golden_run, folder)
    return folder


@pytest.fixture(scope="module")
def page(folder: Path) -> str:
    return (folder / "report.html").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def tiny(golden_run: StudyResults) -> StudyResults:
    """One model, one fit, no explanation."""
    return only(golden_run, ["lightgbm"], 1)


class Outline(HTMLParser):
    """Collects the elements of a page, and its text apart."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, tuple[str, ...]]] = []
        self.links: list[tuple[str, str]] = []
        self.text = ""
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, tuple(name for name, _ in attrs)))
        self.links += [(name, value or "") for name, value in attrs if name in ("src", "href")]

    def handle_data(self, data: str) -> None:
        self.text += data


class Stubs(dict[str, Plate]):
    """A smallest possible figure under any key: for tests of a page's text."""

    def __missing__(self, key: str) -> Plate:
        return Plate("stub", "stub", b"", None, 1, 1)


def render(results: StudyResults) -> str:
    study = look_over(results)
    return render_html(study, gather_facts(study), {name: Stubs() for name in SECTIONS})


def test_every_section_is_there_and_in_the_contents(page: str) -> None:
    for section in SECTIONS:
        assert page.count(f'<section id="{section}"') == 1
        assert f'<a href="#{section}">' in page


def test_cautions_stand_before_every_number(page: str, golden_run: StudyResults) -> None:
    text = Outline(page).text
    assert text.index(golden_run.cautions[0]) < text.index("In short", text.index("Cautions") + 200)
    assert "Research use only, not a medical device" in text[: text.index(golden_run.cautions[0])]


def test_nothing_is_loaded_and_no_script_runs(page: str) -> None:
    outline = Outline(page)
    for name, address in outline.links:
        assert address.startswith("data:image/" if name == "src" else "#"), address[:80]
    assert "script" not in {tag for tag, _ in outline.elements}
    assert not re.search(r"url\(|@import|https?://", re.sub(r'src="data:[^"]*"', "", page))


def test_every_picture_has_words_and_a_file(page: str, folder: Path) -> None:
    pictures = [attributes for tag, attributes in Outline(page).elements if tag == "img"]
    assert all("alt" in attributes for attributes in pictures)
    assert len(pictures) == len(list((folder / "figures").glob("*.png"))) > 10
    assert (folder / "figures" / "roc-resnet18.svg").is_file()


def with_text(results: StudyResults, text: str) -> StudyResults:
    """Return the results with `text` wherever a text of a user can be."""
    models = results.tables["summary"]["model"].unique()
    held = renamed(results, {name: f"{text}{i}" for i, name in enumerate(models)})
    cohort = held.tables["cohort"]
    tables = {
        **held.tables,
        "excluded": pd.DataFrame({"row": [3], "patient_id": [text], "reason": [text]}),
        "cohort": cohort.assign(patient_id=text + cohort["patient_id"]),
    }
    regions = held.explanations["lead_regions"].assign(patient_id=text, region=text)
    run = replace(
        held.run,
        cohort=text,
        command=text,
        differs_from_paper={text: (text, None)},
        parameters={text: {text: text}},
    )
    return replace(
        held,
        run=run,
        environment=replace(held.environment, started=text, packages={text: text}),
        tables=tables,
        explanations={**held.explanations, "lead_regions": regions},
        cautions=(text,),
    )


@pytest.fixture(scope="module")
def plain_elements(golden_run: StudyResults) -> list[tuple[str, tuple[str, ...]]]:
    return Outline(render(with_text(golden_run, "plain"))).elements


@settings(max_examples=10, deadline=None)
@given(st.text(min_size=1, max_size=30).map(lambda text: "<b>&\"'{{" + text))
@example("<script>alert(1)</script>")
@example("</td></table>" + 300 * "x")
def test_any_text_is_shown_and_never_becomes_markup(
    golden_run: StudyResults, plain_elements: list[object], text: str
) -> None:
    outline = Outline(render(with_text(golden_run, text)))
    assert outline.elements == plain_elements
    assert text in outline.text


def test_equal_results_give_equal_bytes_also_when_read_back(
    golden_run: StudyResults, folder: Path, tmp_path: Path
) -> None:
    golden_run.write(tmp_path)
    report = write_report(StudyResults.read(tmp_path), tmp_path)
    assert report.read_bytes() == (folder / "report.html").read_bytes()
    for path in sorted((folder / "figures").iterdir()):
        assert path.read_bytes() == (tmp_path / "figures" / path.name).read_bytes(), path.name


def test_a_run_without_any_row_is_a_report_too(golden_run: StudyResults, tmp_path: Path) -> None:
    tables = {name: table.iloc[:0] for name, table in golden_run.tables.items()}
    empty = replace(unexplained(golden_run), tables=tables, cautions=())
    text = Outline(write_report(empty, tmp_path).read_text(encoding="utf-8")).text
    assert "The cohort is empty" in text
    assert "No answers" in text
    assert not re.search(r"\bnan\b", text)
    assert not list((tmp_path / "figures").iterdir())


def test_one_model_one_fit_and_no_maps_is_a_report_without_intervals(
    tiny: StudyResults, tmp_path: Path
) -> None:
    text = Outline(write_report(tiny, tmp_path).read_text(encoding="utf-8")).text
    assert "no interval" in text
    assert "and nobody was tested twice" in text
    assert "No model of this run makes maps" in text
    assert not re.search(r"\bnan\b", text)


def test_undefined_metrics_are_counted_and_not_called_zero(page: str) -> None:
    text = Outline(page).text
    assert re.search(r"not defined\s*undefined in 4 of 4 fits", text)


def test_twenty_models_and_a_thousand_patients_fit(golden_run: StudyResults) -> None:
    cohort, predictions = golden_run.tables["cohort"], golden_run.tables["predictions"]
    one = predictions[predictions["model"] == "lightgbm"]
    names = [f"model-{i}" for i in range(20)]
    answers = golden_run.tables["answers"]
    said = answers[answers["model"] == "lightgbm"]
    many = with_tables(
        unexplained(golden_run),
        pd.concat([one.assign(model=name) for name in names]),
        pd.concat([said.assign(model=name) for name in names], ignore_index=True),
    )
    copies = [cohort.assign(patient_id=f"{i}-" + cohort["patient_id"]) for i in range(17)]
    many = replace(many, tables={**many.tables, "cohort": pd.concat(copies)})
    text = Outline(render(many)).text
    assert "1,020 patients" in text
    assert all(name in text for name in names)
    assert len({(look.colour, look.mark) for look in looks(names).values()}) == 20


def test_names_that_no_file_can_have_still_get_their_own_figures(
    golden_run: StudyResults, tmp_path: Path
) -> None:
    two = only(golden_run, ["lightgbm", "prevalence"], 1)
    write_report(renamed(two, {"lightgbm": "a/b $x^2$", "prevalence": "a_b_x_2_"}), tmp_path)
    assert len(list((tmp_path / "figures").glob("roc-*.png"))) == 2


def test_maps_that_are_all_zero_are_said_to_be_and_not_drawn(
    golden_run: StudyResults, tmp_path: Path
) -> None:
    rows = golden_run.explanations["lead_regions"].assign(zero_map=True)
    cams = golden_run.maps["resnet18"]
    nothing = replace(
        golden_run,
        explanations={**golden_run.explanations, "lead_regions": rows},
        maps={"resnet18": replace(cams, maps=np.zeros_like(cams.maps))},
    )
    page = write_report(nothing, tmp_path).read_text(encoding="utf-8")
    assert "All maps are zero" in page
    assert not list((tmp_path / "figures").glob("map-*"))


def test_simulated_cohort_is_announced_with_its_ceiling(tiny: StudyResults) -> None:
    own = {"sim-resnet18": "supervised by simulation (hearts) on hearts"}
    own["ssl-resnet18"] = "self-supervised (measurements) on 12 simulated ECGs"
    asked = replace(tiny.run, encoders={**own, "other": "self-supervised (waveform) on archive"})
    virtual = replace(tiny, run=replace(asked, simulated=True, bayes_auroc=0.801))
    real = replace(tiny, run=replace(asked, simulated=False, bayes_auroc=None))
    text = " ".join(Outline(render(virtual)).text.split())
    assert "Simulated cohort" in text
    assert "The network of sim-resnet18 and ssl-resnet18 has learnt from ECGs of the same" in text
    assert "0.801 (Bayes)" in text
    table = tiny.tables["estimates"]
    (auroc,) = table[table["metric"] == "auroc"]["value"]
    assert f"lightgbm {auroc:.3f} ({auroc - 0.801:+.3f})" in text
    assert "Simulated cohort" not in Outline(render(real)).text


def test_fingerprint_of_the_report_is_that_of_the_record(
    golden_run: StudyResults, page: str
) -> None:
    assert page.count(f"<code>{golden_run.run.cohort_digest[:16]}</code>") == 2
    assert golden_run.run.responses_digest in page


def test_report_shows_what_the_records_hold(golden_run: StudyResults, page: str) -> None:
    text = Outline(page).text
    noted = (golden_run.run.command, golden_run.environment.started, "packages.numpy")
    for shown in (*noted, "parameters.resnet18.epochs", "region_cut"):
        assert shown in text, shown
