"""TRIPOD+AI: the 27 items, each filled from the run where it knows, else left to the authors."""

from __future__ import annotations

from collections.abc import Mapping

from dyssync.report.documents.model_card import in_cell
from dyssync.report.documents.tripod_answers import answers
from dyssync.report.overview import Overview

SOURCE = "Collins GS et al. TRIPOD+AI. BMJ 2024;385:e078378, doi 10.1136/bmj-2023-078378"
TO_WRITE = "to be written by the authors: "

# Item -> topic and what is asked, in our words.
ITEMS: Mapping[str, tuple[str, str]] = {
    "1": ("Title", "development or evaluation of a prediction model; population; outcome"),
    "2": ("Abstract", "by the checklist TRIPOD+AI for Abstracts"),
    "3a": ("Background", "clinical context, rationale, existing models"),
    "3b": ("Background", "target population, purpose in the care pathway, intended users"),
    "3c": ("Background", "known health inequalities between sociodemographic groups"),
    "4": ("Objectives", "development, evaluation, or both"),
    "5a": ("Data", "sources of data, why they were used, how representative they are"),
    "5b": ("Data", "dates of the data, start and end of accrual and of follow-up"),
    "6a": ("Participants", "setting, number and place of centres"),
    "6b": ("Participants", "who was eligible"),
    "6c": ("Participants", "treatments received and how they were handled"),
    "7": ("Data preparation", "preprocessing and checks, the same across groups or not"),
    "8a": ("Outcome", "definition, time horizon, how and when it was assessed"),
    "8b": ("Outcome", "who assessed it, where assessment is subjective"),
    "8c": ("Outcome", "blinding of its assessment"),
    "9a": ("Predictors", "choice of the initial predictors"),
    "9b": ("Predictors", "definition of all predictors, how and when measured"),
    "9c": ("Predictors", "who assessed them, where assessment is subjective"),
    "10": ("Sample size", "how the study size was arrived at, and whether it suffices"),
    "11": ("Missing data", "how missing data were handled, why any were left out"),
    "12a": ("Analytical methods", "how the data were used and divided"),
    "12b": ("Analytical methods", "how predictors enter: form, scaling, transformation"),
    "12c": ("Analytical methods", "type of model, building steps, tuning, internal validation"),
    "12d": ("Analytical methods", "heterogeneity across clusters, such as hospitals"),
    "12e": ("Analytical methods", "measures and plots of performance, comparison of models"),
    "12f": ("Analytical methods", "updating of the model, such as recalibration"),
    "12g": ("Analytical methods", "how the predictions were calculated"),
    "13": ("Class imbalance", "methods for it, and recalibration afterwards"),
    "14": ("Fairness", "approaches to fairness and their rationale"),
    "15": ("Model output", "probability or class; how thresholds were found"),
    "16": ("Training and evaluation", "differences between the data for each"),
    "17": ("Ethical approval", "board, consent or waiver"),
    "18a": ("Funding", "sources and their role"),
    "18b": ("Conflicts of interest", "of all authors"),
    "18c": ("Protocol", "where it is, or that there is none"),
    "18d": ("Registration", "where, or that it was not registered"),
    "18e": ("Data sharing", "whether and where the data are available"),
    "18f": ("Code sharing", "whether and where the code is available"),
    "19": ("Patient and public involvement", "in design, conduct, reporting, or none"),
    "20a": ("Participants", "flow, with and without the outcome, follow-up"),
    "20b": ("Participants", "characteristics, missing data, differences between groups"),
    "20c": ("Participants", "comparison of development and evaluation data"),
    "21": ("Model development", "participants and outcome events in each analysis"),
    "22": ("Model specification", "the full model, so that others can predict with it"),
    "23a": ("Model performance", "with confidence intervals, in subgroups, with plots"),
    "23b": ("Model performance", "heterogeneity across clusters"),
    "24": ("Model updating", "results of updating"),
    "25": ("Interpretation", "main results and fairness, beside objectives and other studies"),
    "26": ("Limitations", "such as the sample, its representativeness, overfitting, missing data"),
    "27a": ("Usability", "how poor or absent input is to be handled in use"),
    "27b": ("Usability", "what users must do and know"),
    "27c": ("Usability", "next steps of research, applicability, generalizability"),
}  # fmt: skip


def tripod_checklist(study: Overview) -> str:
    """Return the checklist as Markdown."""
    known = answers(study)
    lines = [
        "# TRIPOD+AI checklist",
        "",
        f"{SOURCE}. Filled from the run where it knows; items in our words. Places are sections of "
        "report.html, or files beside it.",
        "",
        "| item | topic | asked | here |",
        "|---|---|---|---|",
    ]
    for item, (topic, asked) in ITEMS.items():
        here = known.get(item, TO_WRITE + asked)
        lines.append(f"| {item} | {topic} | {asked} | {in_cell(here)} |")
    return "\n".join(lines) + "\n"
