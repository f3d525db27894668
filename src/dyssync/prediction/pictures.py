"""A picture of a page before models: read off, and handed to each kind of bundle as it learnt."""

from __future__ import annotations

from dataclasses import replace

from dyssync.image import ECGImage, Input
from dyssync.pages.evening import shrink_page
from dyssync.prediction.bundle import About

READ_OFF = (
    "{}. Networks were asked with pictures drawn from that in their own style; look at what was "
    "read (dyssync digitise)"
)
MEASURED = (
    "{}. Models that measure, and networks of the median beat, go by that; look at what was read "
    "(dyssync digitise)"
)
UNREAD = "{}; models that measure, and networks of the median beat, know nothing of it"


def asked_about(x: Input, about: About) -> Input:
    """Return what models are asked about.

    Models of signals get the ECG that was read off a page, which networks among them draw as the
    pages that they learnt from. Models that learnt from users' own pictures get the picture, and
    those of them that measure what was read off it.

    Args:
        x: a recording, or a picture after :func:`dyssync.pages.reading_off.read_off`.
        about: the study that the models come from.
    """
    if not isinstance(x, ECGImage):
        return x
    if x.ecg is not None and about.training.pages is None:
        return x.ecg
    return replace(x, pixels=shrink_page(x.pixels))


def page_notes(x: Input, asked: Input) -> tuple[str, ...]:
    """Return what is to be said of how a picture was asked about, a sentence each."""
    if not isinstance(x, ECGImage):
        return ()
    if not isinstance(asked, ECGImage):
        return (READ_OFF.format(asked.notes["page"]),)
    if asked.ecg is not None:
        return (MEASURED.format(asked.ecg.notes["page"]),)
    return (UNREAD.format(x.unread),) if x.unread else ()
