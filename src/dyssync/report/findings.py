"""What a study shows and what it does not, a sentence each: every claim rests on one rule.

Comparisons: Holm's p-value below 0.05. Net benefit: a bound that holds for all thresholds and
models together. Calibration: the 95 % interval of slope or calibration-in-the-large.
"""

from __future__ import annotations

from collections.abc import Sequence

from dyssync.evaluation.comparisons import NO_MODEL, ONE_NUMBER
from dyssync.evaluation.simultaneous import gain_lower_bound
from dyssync.report.drawn import JUDGED, draws
from dyssync.report.overview import Overview
from dyssync.report.verdicts import Verdict, asked, auroc_difference, claim_of, each, none
from dyssync.report.wording import (
    DASH,
    Estimate,
    count,
    listing,
    metric,
    p_value,
    percent,
    points,
)
from dyssync.study.best import best_first

Sentences = tuple[str, ...]


def one_answer(study: Overview) -> Sentences:
    """Say which model gives the bundle's one answer, and why."""
    order = best_first(study.results.tables["answers"])
    if not order:
        return ()
    brier, best = metric("brier"), order[0]
    found = study.estimate(best, "brier")
    value = f"{brier.number(found.value)} {brier.interval(found)}".strip()
    if len(order) == 1:
        return (f"The bundle's one answer is that of {best} (Brier score {value}).",)
    return (
        f"The bundle's one answer is that of {best}: the lowest Brier score, {value}, "
        f"of the {len(order)} models that are no rules. As the lowest of {len(order)} it flatters "
        "a little, and is no proof that the others are worse.",
    )


def more_accurate(study: Overview, found: Sequence[Verdict]) -> Sentences:
    """Say which models classify more patients rightly than one answer for all."""
    questions = asked(found, "accuracy", NO_MODEL)
    if not questions:
        return ()
    answer = "a responder" if study.graded_share >= 0.5 else "a non-responder"
    floor = f"calling everybody {answer} ({percent(study.floor)})"
    words = f"shown to classify more patients rightly than {floor}"
    lines = [claim_of(questions, words, points)]
    if worse := [v for v in questions if v.worse]:
        lines.append(f"Shown to classify fewer rightly than that: {each(worse, points)}.")
    return tuple(lines)


def more_useful(study: Overview) -> Sentences:
    """Say which models add net benefit over treating all or none, and at which thresholds."""
    graded = [one for one in study.answers if one.gradable and one.model != NO_MODEL]
    if not graded:
        return ()
    ends = f"between {100 * JUDGED[0]:.0f} and {percent(JUDGED[-1])}"
    shown = []
    for one in graded:
        low = gain_lower_bound(one.y, one.p, draws(one.n), JUDGED, len(graded), study.refit_factor)
        at = JUDGED[low > 0]
        if len(at):
            shown.append(f"{one.model} ({_thresholds(at[0], at[-1])})")
    if not shown:
        return (f"{none(len(graded))} shown to add net benefit over treating all or none {ends}.",)
    return (
        f"Shown to add net benefit over treating all or none: {listing(shown)}. The bound holds "
        f"for all thresholds {ends} and all models together.",
    )


def _thresholds(low: float, high: float) -> str:
    if low == high:
        return f"at a threshold of {percent(low)}"
    return f"at thresholds within {100 * low:.0f}{DASH}{percent(high)}"


def than_one_number(found: Sequence[Verdict]) -> Sentences:
    """Say which models rank patients better than QRS area alone."""
    questions = asked(found, "auroc", ONE_NUMBER)
    if not questions:
        return ()
    lines = [claim_of(questions, "shown better than QRS area alone in AUROC", auroc_difference)]
    if worse := [v for v in questions if v.worse]:
        lines.append(f"Shown worse than QRS area alone in AUROC: {each(worse, auroc_difference)}.")
    return tuple(lines)


def discrimination(study: Overview, found: Sequence[Verdict]) -> Sentences:
    """Say which models rank responders above non-responders at all."""
    questions = asked(found, "auroc", NO_MODEL)
    above = [v for v in questions if v.better]
    below = [v.model_a for v in questions if not v.better]
    lines = []
    if above:
        auroc = metric("auroc")
        written = []
        for v in above:
            own = study.estimate(v.model_a, "auroc")
            written.append(
                f"{v.model_a} {auroc.number(own.value)} {auroc.interval(own)} "
                f"(Holm {p_value(v.p_holm)})"
            )
        lines.append(f"Shown to rank responders above non-responders, AUROC: {listing(written)}.")
    if below:
        lines.append(f"Not shown to rank better than chance (AUROC 0.5): {listing(below)}.")
    return tuple(lines)


def order(study: Overview, found: Sequence[Verdict]) -> Sentences:
    """Say whether the models can be ranked; an interval without 0 is a hint, no proof."""
    pairs = [v for v in found if v.metric == "auroc" and v.model_b != NO_MODEL]
    if not pairs:
        return ()
    n = count(study.graded, "patient")
    apart = [v for v in pairs if v.difference.sign or v.shown]
    cannot = f"{n} cannot rank these models"
    if not apart:
        of = "the interval of the difference" if len(pairs) == 1 else "the interval of every pair"
        return (f"{cannot}: {of} in AUROC holds 0.",)
    best = _above_all(pairs)
    if best:
        return (
            f"{best} has the highest AUROC, and the interval of its difference from every other "
            f"model leaves out 0 (each interval by itself).",
        )
    proven = sum(v.shown for v in apart)
    return (
        f"{cannot} in full: of {count(len(pairs), 'pair')}, {len(apart)} differ in AUROC by more "
        f"than each interval by itself allows for, {proven or 'none'} of them after Holm's "
        "correction.",
    )


def _above_all(pairs: Sequence[Verdict]) -> str:
    """Return the model whose AUROC lies above that of each other one, or nothing."""
    models = {name for v in pairs for name in (v.model_a, v.model_b)}
    wins: dict[str, set[str]] = {name: set() for name in models}
    for v in pairs:
        if v.difference.sign > 0:
            wins[v.model_a].add(v.model_b)
        elif v.difference.sign < 0:
            wins[v.model_b].add(v.model_a)
    best = [name for name, beaten in wins.items() if beaten == models - {name}]
    return best[0] if best else ""


def calibration(study: Overview, found: Sequence[Verdict]) -> Sentences:
    """Say which models are shown miscalibrated; of the others no more than that they are not."""
    shown, others = [], []
    for one in study.answers:
        slope = study.estimate(one.model, "calibration_slope")
        large = study.estimate(one.model, "calibration_in_the_large")
        if one.model == NO_MODEL or not (slope.has_interval or large.has_interval):
            continue
        if _off(slope, 1.0):
            shown.append(f"{one.model} (slope {_value('calibration_slope', slope)})")
        elif _off(large, 0.0):
            words = _value("calibration_in_the_large", large)
            shown.append(f"{one.model} (calibration-in-the-large {words})")
        else:
            others.append(one.model)
    lines = []
    if shown:
        lines.append(f"Shown miscalibrated (95 % interval, each by itself): {listing(shown)}.")
    if others:
        lines.append(f"Not shown miscalibrated, after recalibration: {listing(others)}.")
    useless = [v.model_a for v in asked(found, "auroc", NO_MODEL) if not v.better]
    if both := [name for name in others if name in useless]:
        lines.append(
            f"Calibration alone is of no use: {listing(both)} {_is(both)} not shown to tell "
            "responders from non-responders, and the base rate for everybody is calibrated too."
        )
    return tuple(lines)


def _off(found: Estimate, ideal: float) -> bool:
    return found.has_interval and not found.low <= ideal <= found.high


def _value(name: str, found: Estimate) -> str:
    return f"{metric(name).number(found.value)} {metric(name).interval(found)}"


def _is(names: Sequence[str]) -> str:
    return "is" if len(names) == 1 else "are"
