"""What no model can be fitted to or asked about."""

from __future__ import annotations

from dyssync.errors import CohortError, FormatError
from dyssync.image import ECGImage, Input
from dyssync.pages.evidence import check_is_ecg_page


def refuse_unusable(recording: Input, *, seconds: float) -> None:
    """Refuse what no model can be fitted to or asked about.

    Args:
        recording: a signal, or a picture of a page as it was read.
        seconds: shortest signal that is accepted, s.

    Raises:
        CohortError: leads are flat, the signal is shorter than `seconds`, or the picture is no
            ECG page.
    """
    name = recording.source.name
    if isinstance(recording, ECGImage):
        try:
            check_is_ecg_page(recording.pixels)
        except FormatError as error:
            raise CohortError(f"{name}: {error}") from error
        return
    problems = []
    if flat := recording.flat_leads:
        problems.append(f"flat leads {', '.join(flat)}; a signal in all 12 is needed")
    # half a sample of tolerance: 4999 samples at 500 Hz are ten seconds to every vendor
    if recording.seconds < seconds - 0.01:
        problems.append(f"{recording.seconds:.1f} s of signal, {seconds:g} s needed")
    if problems:
        raise CohortError(f"{name}: {'; '.join(problems)}")
