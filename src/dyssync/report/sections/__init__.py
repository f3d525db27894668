"""The sections of the report, in their order: a module each, with its template beside it."""

from __future__ import annotations

from typing import Any

from dyssync.registry import Registry
from dyssync.report.section import Section

SECTIONS: Registry[Section[Any]] = Registry(
    "section",
    {
        "cautions": "dyssync.report.sections.cautions:SECTION",
        "short": "dyssync.report.sections.short:SECTION",
        "cohort": "dyssync.report.sections.cohort:SECTION",
        "performance": "dyssync.report.sections.performance:SECTION",
        "answers": "dyssync.report.sections.answers:SECTION",
        "comparisons": "dyssync.report.sections.comparisons:SECTION",
        "roc": "dyssync.report.sections.roc:SECTION",
        "calibration": "dyssync.report.sections.calibration:SECTION",
        "decision": "dyssync.report.sections.decision:SECTION",
        "deferral": "dyssync.report.sections.deferral:SECTION",
        "seeds": "dyssync.report.sections.seeds:SECTION",
        "stability": "dyssync.report.sections.stability:SECTION",
        "subgroups": "dyssync.report.sections.subgroups:SECTION",
        "distribution": "dyssync.report.sections.distribution:SECTION",
        "confusion": "dyssync.report.sections.confusion:SECTION",
        "explanation": "dyssync.report.sections.explanation:SECTION",
        "features": "dyssync.report.sections.features:SECTION",
        "sample_size": "dyssync.report.sections.sample_size:SECTION",
        "settings": "dyssync.report.sections.settings:SECTION",
        "reproduce": "dyssync.report.sections.reproduce:SECTION",
    },
)
