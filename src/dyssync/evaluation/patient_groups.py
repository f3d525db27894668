"""The groups in which a model is looked at apart: those of the guidelines, and centres."""

from __future__ import annotations

import pandas as pd

YES_NO = {
    "ischaemic": "Ischaemic aetiology",
    "af": "Atrial fibrillation",
    "lbbb": "Left bundle-branch block",
}
CENTRE_COLUMNS = ("centre", "center", "site")  # the first that is there counts
MOST_CENTRES = 12  # more levels than that is no group of patients but a number of each
WIDE_QRS_MS = 150  # where the guidelines draw the line (ESC 2021, 10.1093/eurheartj/ehab364)


def groups_of(facts: pd.DataFrame, table: pd.DataFrame) -> pd.DataFrame:
    """Return the groups that patients are in, indexed by patient id; NaN is not known.

    Args:
        facts: a row a patient, indexed by patient id: what is known of sex (1 woman), ischaemic,
            af, lbbb (0/1), qrs_ms.
        table: of the cohort, a row a recording; a column of :data:`CENTRE_COLUMNS` is a group.
    """
    words = {0.0: "no", 1.0: "yes"}
    found: dict[str, pd.Series] = {}
    if "sex" in facts:
        found["Sex"] = facts["sex"].map({1.0: "women", 0.0: "men"})
    for name, title in YES_NO.items():
        if name in facts:
            found[title] = facts[name].map(words)
    if "qrs_ms" in facts:
        wide = (facts["qrs_ms"] >= WIDE_QRS_MS).astype(float).map(words)
        found[f"QRS of {WIDE_QRS_MS} ms or more"] = wide.where(facts["qrs_ms"].notna())
    centre = next((name for name in CENTRE_COLUMNS if name in table), None)
    if centre is not None and 1 < table[centre].nunique() <= MOST_CENTRES:
        found["Centre"] = table.groupby("patient_id")[centre].first()
    return pd.DataFrame(found, index=facts.index)
