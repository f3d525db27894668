"""Patient ids: printable, and one spelling a patient."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

from dyssync.cohort.table import Problem

# Unicode categories that no id needs: control, format (also right-to-left marks), half a character,
# private, line and paragraph separators. Two ids that differ in them look the same.
UNSEEN = ("Cc", "Cf", "Cs", "Co", "Zl", "Zp")


def id_problems(ids: Sequence[str]) -> list[Problem]:
    """Find ids that cannot be seen whole, and patients whose id is spelt in two ways.

    Args:
        ids: of the rows of a table, in their order; "" where there is none.
    """
    problems: list[Problem] = []
    spelt: dict[str, tuple[int, str]] = {}
    for row, patient in enumerate(ids, start=2):
        if any(unicodedata.category(c) in UNSEEN for c in patient):
            text = "patient_id holds characters that cannot be seen (a line end?); take them out"
            problems.append(Problem(row, patient, text))
            continue
        first, known = spelt.setdefault(_bare(patient), (row, patient))
        if known != patient:
            text = (
                f"patient_id differs from {known} (row {first}) in case, width or blanks alone; "
                "one spelling a patient is needed"
            )
            problems.append(Problem(row, patient, text))
    return problems


def _bare(patient: str) -> str:
    """Return an id without what people write in one way or the other."""
    return "".join(unicodedata.normalize("NFKC", patient).casefold().split())
