"""The dictionary as a page: `python tools/measurement_page.py > docs/measurements.md`."""

from __future__ import annotations

from dyssync.ecg import LEADS
from dyssync.measurements.measurement import DEFINITIONS

INTRO = """# Measurements

`dyssync measure` and `measure(ecg)` give these numbers for every ECG, always with these names in
this order. NaN means "not defined here" (no P wave in atrial fibrillation, no Q, no second beat),
never 0; the cautions say why.

What is yes or no (unit 0/1: 1, 0) is NaN where it is not known, and `measure(ecg).answers` gives
the reason: the missing lead or fact. A criterion that is not known matters only where it decides:
with V6 clipped LBBB is not known in a wide QRS, and absent in a narrow one. Where leads are lost an
answer has to hold for a QRS that begins or ends 6 ms earlier or later. `inspect`, the rules and the
JSON of all verbs say "not known" with the reason, never "no".

With fewer than three beats of one shape everything is NaN: an artefact that comes twice cannot be
told from a heart beat. What is made of a lead that is flat, saturated (1 % of its samples at the
extreme) or unreadable (single beats farther from the average than the QRS is high) is NaN too.
Durations of all leads together are not: one bad lead does not move them. Where right and
left arm seem swapped, what is made of the leads they touch is NaN. Other swaps are only named: an
axis of -30 degrees flattens II as well, and in LBBB the R progression is a step. Nothing is put
right.

The ids in the first column are groups of this dictionary: measurements of one thing share one (f07
the QRS area, f22 the R peak times, f27 the amplitudes of each lead). They are labels and say
nothing more; f06, f18 and f30 are not in use. "Leads" are those without which a measurement is not
defined, and those that a yes or no looks at; none stands where all leads give it together.

Global marks come from all leads together. They are those of the typical beat: the median of the
beats of the most frequent shape, at 500 Hz, baseline 20 to 4 ms before the QRS. The
vectorcardiogram is that of Kors (X left, Y foot, Z back). 1 mV ms = 1 uVs. `_<lead>` stands for one
column a lead.

| id | name | unit | definition | leads | source |
|---|---|---|---|---|---|
"""

OUTRO = """
f33 lead by lead is `lead_quality(ecg)`. The clinical columns are the cohort table's, not measured.
The guideline classes are `guidelines.esc_2021` and `guidelines.hrs_2023`. The depth that makes a
notch is an option (`measure(ecg, notch_mv=...)`, `dyssync measure --notch-mv`), 0.05 mV by default:
half a millimetre on paper, for the literature asks for a visible notch only (Das 2006, Strauss
2011).

How exact the marks are, and what models make of the measurements:
[measuring models](measuring-models.md).
"""


def render_dictionary() -> str:
    """Return the reference page of all measurements, Markdown."""
    rows: dict[str, str] = {}
    for entry in DEFINITIONS:
        stem, _, lead = entry.name.rpartition("_")
        name = f"{stem}_<lead>" if lead in LEADS and stem else entry.name
        leads = "all" if entry.needs == LEADS else " ".join(entry.needs)
        cells = (
            entry.id,
            f"`{name}`",
            entry.unit,
            entry.meaning.replace("|", "\\|"),
            "its own" if entry.needs == (lead,) else leads,
            entry.source,
        )
        rows.setdefault(name, f"| {' | '.join(cells)} |")
    return INTRO + "\n".join(rows.values()) + "\n" + OUTRO


if __name__ == "__main__":
    print(render_dictionary(), end="")
