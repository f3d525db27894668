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
    # SciPy is loaded for pictures alone, not by a prediction of a signal
    from dyssync.pages.digitising.digitise import digitise

    try:
        ecg = ecg_on(image, digitise(image, stated))
    except FormatError as error:
        return replace(image, unread=str(error), drawing=None)
    except FAULTS as error:  # networks can still be shown the picture
        return replace(image, unread=told_fault(error), drawing=None)
    return replace(image, ecg=ecg, drawing=None)


def ecg_on(image: ECGImage, read: Digitised) -> ECG:
    """Return the ECG that was read off a page, what the reader should know among its doubts.

    Raises:
        FormatError: it shows too few beats.
    """
    ecg = recording_of(read, image.source)
    warned = tuple(Doubt("page", (), text, "caution") for text in read.warnings)
    return replace(
        ecg, patient_id=image.patient_id, age=image.age, sex=image.sex, clinical=image.clinical,
        doubts=(*ecg.doubts, *warned),
    )  # fmt: skip
