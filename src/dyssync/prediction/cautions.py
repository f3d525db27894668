"""What sets a recording apart from those a bundle was trained on."""

from __future__ import annotations

import numpy as np

from dyssync.cohort.clinical import AGE_NOTE, clinical_fact
from dyssync.ecg import ECG
from dyssync.image import ECGImage, Input, ecg_of
from dyssync.models.base import has_heartbeat
from dyssync.pages.likeness import PageLook
from dyssync.pages.one_lead import ONE_LEAD, shows_one_lead
from dyssync.prediction.bundle import About
from dyssync.prediction.training_data import SignalLook, amplitude

SIGNAL_AMONG_PAGES = "a signal; the bundle was trained on users' own pictures, this one was drawn"
PAGE_AMONG_SIGNALS = (
    "a picture, taken as it is; the bundle was trained on drawn signals, and layout, paper speed "
    "and gain of this page may differ from theirs"
)


def cautions(x: Input, about: About) -> tuple[str, ...]:
    """Return why a probability may not hold for a recording, a sentence each.

    Args:
        x: the recording, or a picture of one; what was read off it counts too.
        about: the study that the models come from.
    """
    signals, pages = about.training.signals, about.training.pages
    found = []
    if isinstance(x, ECG):
        found += [] if pages is None else [SIGNAL_AMONG_PAGES]
    else:
        found += [PAGE_AMONG_SIGNALS] if pages is None else _of_page(x, pages)
        if shows_one_lead(x.pixels):
            found.append(f"{ONE_LEAD}; its probability may mean nothing")
    ecg = ecg_of(x)  # models that measure go by it, also beside networks that look at the page
    if ecg is not None and signals is not None:
        found += _of_signal(ecg, signals)
    if AGE_NOTE in x.notes:
        found.append(x.notes[AGE_NOTE])
    if about.shuffled_labels:
        found.append("the bundle was trained on shuffled labels; it knows nothing by design")
    if about.simulated:
        found.append("the bundle was trained on simulated patients")
    return tuple(found)


def _of_page(page: ECGImage, look: PageLook) -> list[str]:
    times = look.oddness(page.pixels)
    if times <= 1:
        return []
    return [
        f"a page unlike the training ones (its ink lies {times:.1f} times as far from theirs as "
        "that of the oddest of them): another layout, scale, crop or paper; its probability may "
        "mean nothing"
    ]


def _of_signal(ecg: ECG, look: SignalLook) -> list[str]:
    found = [doubt.sentence for doubt in ecg.doubts]
    if not has_heartbeat(ecg):
        found.append("no heartbeat was found; models of the beat knew nothing of this recording")
    low, high = look.fs_range
    if ecg.shown is None and not low <= ecg.fs <= high:  # a page has no sampling rate
        found.append(f"sampled at {ecg.fs:g} Hz; the training recordings at {low:g} to {high:g} Hz")
    low, high = look.amplitude_range
    size = amplitude(ecg)
    if not low <= size <= high:
        found.append(
            f"typical amplitude {size:.2f} mV; the training recordings {low:.2f} to {high:.2f} mV"
        )
    missing = [name for name in look.clinical if np.isnan(clinical_fact(ecg, name))]
    if missing:
        found.append(f"not known of this patient, but of the training ones: {', '.join(missing)}")
    return found
