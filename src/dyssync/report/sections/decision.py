"""Decision curve: whether using a model would help, beyond treating all or none."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from dyssync.evaluation.bootstrap import Band, net_benefit_band
from dyssync.evaluation.curves import DECISION_THRESHOLDS
from dyssync.figures.palette import INK, Look
from dyssync.figures.plate import file_name, finish
from dyssync.report.drawn import OPEN_CHOICE, draws
from dyssync.report.figures import PANEL, blank, in_percent
from dyssync.report.overview import Overview
from dyssync.report.section import Plates, Section, template_beside

if TYPE_CHECKING:
    from matplotlib.figure import Figure

LEAST_HEIGHT = 0.05  # of the axis: small losses must not fill the figure


def gather(study: Overview) -> dict[str, Band]:
    """Return net benefit minus the better of treating all and none, of each model with its band."""
    return {
        one.model: net_benefit_band(one.y, one.p, draws(one.n), factor=study.refit_factor)
        for one in study.answers
        if one.gradable
    }


def draw(facts: dict[str, Band], study: Overview) -> Plates:
    """Draw a panel a model, under its name; all on one scale."""
    top = common_top(facts)
    return {
        model: finish(
            gain_figure(band, study.looks[model], top),
            file_name("decision", study.file_names[model]),
            f"Net benefit of {model} minus the better of treating all and treating none, against "
            "the threshold, with its 95 % band.",
        )
        for model, band in facts.items()
    }


def common_top(bands: Mapping[str, Band]) -> float:
    """Return where the axis ends that all bands fit on where a choice is open."""
    inside = (OPEN_CHOICE[0] <= DECISION_THRESHOLDS) & (OPEN_CHOICE[1] >= DECISION_THRESHOLDS)
    ends = [v for band in bands.values() for v in (*band.low[inside], *band.high[inside])]
    finite = [abs(float(v)) for v in ends if math.isfinite(v)]
    return 1.1 * max([LEAST_HEIGHT, *finite])


def gain_figure(band: Band, look: Look, top: float) -> Figure:
    """Draw net benefit gained over the thresholds with its band; the axis ends at +-top."""
    figure, axes = blank(PANEL[0], PANEL[1] - 0.3)
    axes.axvspan(*OPEN_CHOICE, color="#F0F3F5", zorder=-1)
    axes.axhline(0, color=INK, lw=1)
    low, high = np.clip(band.low, -2 * top, 2 * top), np.clip(band.high, -2 * top, 2 * top)
    axes.fill_between(DECISION_THRESHOLDS, low, high, color=look.colour, alpha=0.2, lw=0)
    axes.plot(DECISION_THRESHOLDS, band.value, color=look.colour, lw=2)
    axes.set_xlim(DECISION_THRESHOLDS[0], DECISION_THRESHOLDS[-1])
    axes.set_ylim(-top, top)
    in_percent(axes.xaxis)
    axes.set_xlabel("Threshold: treat from here on")
    axes.set_ylabel("Net benefit gained")
    return figure


SECTION = Section("Decision curve", template_beside(__file__), gather, draw)
