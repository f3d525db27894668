"""Which of several kinds of answer a client wants, by its header `Accept`.

References:
    RFC 9110, section 12.5.1. HL7 FHIR R4, 3.1.0.1.9: `fhirVersion` as a parameter of the type.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

JSON, FHIR, PDF = "application/json", "application/fhir+json", "application/pdf"
FHIR_VERSION = "4.0"
# Parameters by kind of answer that a client may ask for; of others it does not matter.
HELD: Mapping[str, Mapping[str, str]] = {FHIR: {"fhirversion": FHIR_VERSION}}
MOST_RANGES = 50  # of one header; a browser sends ten


@dataclass(frozen=True)
class _Range:
    """One part of the header: type, subtype, parameters, weight."""

    kind: str
    parameters: Mapping[str, str]
    weight: float

    def fits(self, offer: str) -> int:
        """Return how exactly it names an offer: 0 where it does not, else 1 to 3."""
        if self.kind == "*/*":
            return 1
        if self.kind == f"{offer.partition('/')[0]}/*":
            return 2
        held = HELD.get(offer, {})
        other = any(held.get(key, value) != value for key, value in self.parameters.items())
        return 0 if self.kind != offer or other else 3


def best_offer(accept: str | None, offers: Sequence[str]) -> str | None:
    """Return the kind of answer that a client wants most; None where it takes none of them.

    Of kinds that are wanted alike the first is given: who asks for nothing, or for everything as
    browsers do, has that one.

    >>> best_offer("text/html, */*;q=0.8", (JSON, PDF)), best_offer(None, (JSON, PDF))
    ('application/json', 'application/json')
    >>> best_offer(f"{JSON};q=0.5, {PDF}", (JSON, PDF)), best_offer("a/b", (JSON, PDF))
    ('application/pdf', None)

    Args:
        accept: the header; None or empty where it was not sent.
        offers: types, the usual one first.
    """
    if not (accept or "").strip():
        return offers[0]
    ranges = [_range(part) for part in (accept or "").split(",")[:MOST_RANGES]]
    weights = {offer: _weight(offer, [one for one in ranges if one]) for offer in offers}
    best = max(offers, key=weights.__getitem__)  # the first of equals
    return best if weights[best] > 0 else None


def _weight(offer: str, ranges: Sequence[_Range]) -> float:
    """Return the weight by the range that names an offer most exactly."""
    fitting = [(exact, one.weight) for one in ranges if (exact := one.fits(offer))]
    return max(fitting, default=(0, 0.0))[1]


def _range(text: str) -> _Range | None:
    """Return one part of the header; None where it is none."""
    kind, *rest = (part.strip().lower() for part in text.split(";"))
    pairs = [part.partition("=") for part in rest]
    parameters = {key.strip(): value.strip().strip('"') for key, _, value in pairs}
    try:
        weight = float(parameters.pop("q", "1"))
    except ValueError:
        return None
    return _Range(kind, parameters, weight) if 0 <= weight <= 1 else None
