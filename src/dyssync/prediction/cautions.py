"""What sets a recording apart from those a bundle was trained on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import numpy as np

from dyssync.cohort.clinical import clinical_fact
from dyssync.cohort.cohort import Cohort
from dyssync.ecg import ECG
from dyssync.image import ECGImage, Input
from dyssync.models.measured import CLINICAL_NAMES
from dyssync.pages.likeness import PageLook, look_of
from dyssync.signals.beats import detect_beats


def describe_cohort(cohort: Cohort) -> dict[str, Any]:
    """Return what :func:`cautions` compares a recording with; JSON, without any patient's data."""
    if cohort.holds_pictures:
        pages = [page.pixels for page in cohort.inputs if isinstance(page, ECGImage)]
        return {"pictures": True, "page_look": asdict(look_of(pages))}
    sizes = [_amplitude(ecg) for ecg in cohort.signals]
    rates = cohort.table["fs"]
    return {
        "pictures": False,
        "fs_range": [float(rates.min()), float(rates.max())],
        "amplitude_range": [float(min(sizes)), float(max(sizes))],
        "clinical": [name for name in CLINICAL_NAMES if _share_known(cohort, name) > 0.5],
    }


def cautions(x: Input, about: Mapping[str, Any]) -> tuple[str, ...]:
    """Return why a probability may not hold for a recording, a sentence each.

    Args:
        x: the recording, or a picture of one.
        about: of the bundle, with what :func:`describe_cohort` says of its cohort.
    """
    found = []
    if isinstance(x, ECG):
        found += _of_signal_among_pictures() if about["pictures"] else _of_signal(x, about)
    else:
        found += _of_page(x, about) if about["pictures"] else _of_page_among_signals()
    if about.get("shuffled_labels"):
        found.append("the bundle was trained on shuffled labels; it knows nothing by design")
    if about.get("simulated"):
        found.append("the bundle was trained on simulated patients")
    return tuple(found)


def _of_signal_among_pictures() -> list[str]:
    return ["a signal; the bundle was trained on users' own pictures, this one was drawn"]


def _of_page_among_signals() -> list[str]:
    return [
        "a picture, taken as it is; the bundle was trained on drawn signals, and layout, paper "
        "speed and gain of this page may differ from theirs"
    ]


def _of_page(page: ECGImage, about: Mapping[str, Any]) -> list[str]:
    times = PageLook(**about["page_look"]).oddness(page.pixels)
    if times <= 1:
        return []
    return [
        f"a page unlike the training ones (its ink lies {times:.1f} times as far from theirs as "
        "that of the oddest of them): another layout, scale, crop or paper; its probability may "
        "mean nothing"
    ]


def _of_signal(ecg: ECG, about: Mapping[str, Any]) -> list[str]:
    found = []
    if not len(detect_beats(ecg.signal, ecg.fs)):
        found.append("no heartbeat was found; models of the beat knew nothing of this recording")
    low, high = about["fs_range"]
    if not low <= ecg.fs <= high:
        found.append(f"sampled at {ecg.fs:g} Hz; the training recordings at {low:g} to {high:g} Hz")
    low, high = about["amplitude_range"]
    size = _amplitude(ecg)
    if not low <= size <= high:
        found.append(
            f"typical amplitude {size:.2f} mV; the training recordings {low:.2f} to {high:.2f} mV"
        )
    missing = [n for n in about.get("clinical", ()) if np.isnan(clinical_fact(ecg, n))]
    if missing:
        found.append(f"not known of this patient, but of the training ones: {', '.join(missing)}")
    return found


def _amplitude(ecg: ECG) -> float:
    """Return the typical amplitude of a recording: median over leads of the 1-99 % span, mV."""
    low, high = np.percentile(ecg.signal, (1, 99), axis=1)
    return float(np.median(high - low))


def _share_known(cohort: Cohort, fact: str) -> float:
    return float(np.mean([np.isfinite(clinical_fact(ecg, fact)) for ecg in cohort.signals]))
