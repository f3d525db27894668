"""Patients without an outcome: how far they could move the share of responders."""

from __future__ import annotations

from dataclasses import dataclass

from dyssync.errors import InputError


@dataclass(frozen=True)
class ResponderShares:
    """Share of responders, 0-1, under four readings of who has no outcome; NaN without patients.

    Attributes:
        measured: among the patients with an outcome only. Who died before the follow-up is left
            out, so it is a share among survivors.
        deaths_as_non_responders: deaths counted as non-responders, the lost left out.
        worst, best: deaths counted as non-responders, and none or all of the lost respond.
    """

    measured: float
    deaths_as_non_responders: float
    worst: float
    best: float


def responder_shares(
    responders: int, non_responders: int, died: int = 0, lost: int = 0
) -> ResponderShares:
    """Return the share of responders, and its bounds over the patients without an outcome.

    The bounds assume nothing of the lost; the truth lies between them.

    Args:
        responders: patients whose outcome was measured and is a response.
        non_responders: whose outcome was measured and is none.
        died: before the outcome could be measured.
        lost: alive as far as known, and not measured.

    Raises:
        InputError: a count is negative.

    References:
        Manski CF. Am Econ Rev 1990;80(2):319-323, https://www.jstor.org/stable/2006592.

    >>> responder_shares(60, 30, died=10, lost=20)
    ResponderShares(measured=0.6666666666666666, deaths_as_non_responders=0.6, worst=0.5, \
best=0.6666666666666666)
    """
    counts = {"responders": responders, "non_responders": non_responders}
    for name, count in (counts | {"died": died, "lost": lost}).items():
        if count < 0:
            raise InputError(f"{name} is {count}; a count of 0 or more is needed. Change {name}.")
    measured = responders + non_responders
    everybody = measured + died + lost
    return ResponderShares(
        measured=_share(responders, measured),
        deaths_as_non_responders=_share(responders, measured + died),
        worst=_share(responders, everybody),
        best=_share(responders + lost, everybody),
    )


def _share(part: int, whole: int) -> float:
    return part / whole if whole else float("nan")
