"""The dictionary as a page: `python tools/measurement_page.py > docs/measurements.md`."""

from __future__ import annotations

from dyssync.ecg import LEADS
from dyssync.measurements.measurement import DEFINITIONS

INTRO = """# Measurements

`dyssync measure` and `measure(ecg)` give these numbers for every ECG, always with these names in
this order. NaN means "not defined here" (no P wave in atrial fibrillation, no Q, no second beat),
never 0; the cautions say why.

With fewer than three beats of one shape everything is NaN: an artefact that comes twice cannot be
told from a heart beat. What is made of a lead that is flat, saturated (1 % of its samples at the
extreme) or unreadable (single beats farther from the average than the QRS is high) is NaN too.
Durations of all leads together are not: one bad lead does not move them. Where right and
left arm seem swapped, what is made of the leads they touch is NaN. Other swaps are only named: an
axis of -30 degrees flattens II as well, and in LBBB the R progression is a step. Nothing is put
right.

Global marks come from all leads together. They are those of the typical beat: the median of the
beats of the most frequent shape, at 500 Hz, baseline 20 to 4 ms before the QRS. The
vectorcardiogram is that of Kors (X left, Y foot, Z back). 1 mV ms = 1 uVs. `_<lead>` stands for one
column a lead.

| id | name | unit | definition | source |
|---|---|---|---|---|
"""

OUTRO = """
f30, the principal components of the QRS, is `QRSComponents` (fitted on the training patients only).
f33 lead by lead is `lead_quality(ecg)`. f34, the clinical columns, come from the cohort table. The
guideline classes are `guidelines.esc_2021` and `guidelines.hrs_2023`. The depth that makes a notch
is an option (`measure(ecg, notch_mv=...)`, `dyssync measure --notch-mv`), 0.05 mV by default: half
a millimetre on paper, for the literature asks for a visible notch only (Das 2006, Strauss 2011).

How exact the marks are, and what models make of the measurements:
[measuring models](measuring-models.md).
"""


def render_dictionary() -> str:
    """Return the reference page of all measurements, Markdown."""
    rows: dict[str, str] = {}
    for entry in DEFINITIONS:
        stem, _, lead = entry.name.rpartition("_")
        name = f"{stem}_<lead>" if lead in LEADS and stem else entry.name
        meaning = entry.meaning.replace("|", "\\\\|")
        rows.setdefault(
            name, f"| {entry.id} | `{name}` | {entry.unit} | {meaning} | {entry.source} |"
        )
    return INTRO + "\n".join(rows.values()) + "\n" + OUTRO


if __name__ == "__main__":
    print(render_dictionary(), end="")
