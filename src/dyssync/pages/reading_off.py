"""A picture of a page with the ECG that it shows, or why that could not be read."""

from __future__ import annotations

from dataclasses import replace

from dyssync.ecg import ECG, Doubt
from dyssync.errors import FAULTS, FormatError, told_fault
from dyssync.image import ECGImage
from dyssync.keeping import kept
from dyssync.pages.digitising.digitised import NOTHING_STATED, Digitised, Stated
from dyssync.pages.rebuilding.recording import recording_of


@kept(most=64)
def read_off(image: ECGImage, stated: Stated = NOTHING_STATED) -> ECGImage:
    """Return a picture with :attr:`~dyssync.image.ECGImage.ecg`, or why there is none.

    One that was read off, or tried, comes back as it is. What a PDF was drawn from is dropped: it
    is larger than the ECG.

    Args:
        image: as it was read from its file; a smaller copy is read less well.
        stated: what is known of it.
    """
    if image.ecg is not None or image.unread:
        return image
    return replace(digitised(image, stated)[1], drawing=None)


def digitised(
    image: ECGImage, stated: Stated = NOTHING_STATED
) -> tuple[Digitised | None, ECGImage]:
    """Return what was read off a picture, and the picture with its ECG, or why there is none.

    A fault of ours is a page that was not read: networks can still be shown the picture.

    Args:
        image: of which nothing was read off yet.
        stated: what is known of it.

    Returns:
        None where the page cannot be read; it is there where the page was read, but shows too few
        beats for an ECG.
    """
    # SciPy and OpenCV are loaded for pictures alone, not by a prediction of a signal
    import cv2

    from dyssync.pages.digitising.digitise import digitise

    faults: tuple[type[Exception], ...] = (*FAULTS, cv2.error)
    read = None
    try:
        read = digitise(image, stated)
        return read, replace(image, ecg=ecg_on(image, read))
    except FormatError as error:
        return read, replace(image, unread=str(error))
    except faults as error:
        return read, replace(image, unread=told_fault(error))


def ecg_on(image: ECGImage, read: Digitised) -> ECG:
    """Return the ECG that was read off a page, what the reader should know among its doubts.

    Raises:
        FormatError: it shows too few beats.
    """
    ecg = recording_of(read, image.source)
    warned = tuple(Doubt("page", (), text, "caution") for text in read.warnings)
    return replace(
        ecg, patient_id=image.patient_id, age=image.age, sex=image.sex, clinical=image.clinical,
        notes={**image.notes, **ecg.notes}, doubts=(*ecg.doubts, *warned),
    )  # fmt: skip
