"""Guideline recommendations for CRT as pure functions of the ECG and a few clinical facts.

LVEF <= 35 % on therapy and symptoms are a guideline's entry conditions: where a patient's are not
known they are taken to be met, and named in `assumed`. What decides between two classes is never
taken: where it is not known, every value it may have is tried, and if they lead to different
classes the class is not known, for the reason given.
"""

from __future__ import annotations

import math

from dyssync.measurements.candidates import Candidate, Class, Recommendation, decided

LVEF_LIMIT = 35.0  # %

# The society's heart failure guideline of the same year, whose table could be read; the pacing
# guideline (Glikson 2021, Eur Heart J 42:3427, 10.1093/eurheartj/ehab364) could not.
ESC_2021 = "McDonagh 2021 (ESC heart failure), Eur Heart J 42:3599, section 6.2, p. 3627"
ESC_2021_PACING = "Glikson 2021 (ESC pacing and CRT), Eur Heart J 42:3427"
HRS_2023 = "Chung 2023 (HRS/APHRS/LAHRS), 10.1016/j.hrthm.2023.03.1538"


def esc_2021(candidate: Candidate) -> Recommendation:
    """Return the class of the 2021 ESC guidelines.

    The rows for sinus rhythm and the narrow QRS were compared with the table of recommendations in
    the heart failure guideline. That table has none for atrial fibrillation without a need for
    pacing (its text: "may be an option in selected patients"); the row here is the pacing
    guideline's as commonly restated, and unchecked.
    """
    return decided(candidate, _esc_rows)


def _esc_rows(candidate: Candidate) -> Recommendation:
    def say(name: Class | None, reason: str) -> Recommendation:
        return Recommendation(name, reason, (), ESC_2021, checked=True)

    early = _outside(candidate, ESC_2021)
    if early is not None:
        return early
    qrs = candidate.qrs_ms
    if qrs < 130:
        return say("III", "QRS below 130 ms without need for ventricular pacing")
    if candidate.lvef is not None and candidate.lvef > LVEF_LIMIT:
        return say(None, "LVEF above 35 %: no statement unless pacing is needed")
    if candidate.nyha == 1:
        return say(None, "no symptoms: no statement")
    if candidate.sinus_rhythm is False:
        severe = candidate.nyha is not None and candidate.nyha >= 3
        reason = "atrial fibrillation, QRS of 130 ms and more, NYHA III-IV"
        return Recommendation(
            "IIa" if severe else None,
            reason if severe else "atrial fibrillation, NYHA II: no statement",
            (),
            ESC_2021_PACING,
            checked=False,
        )
    if candidate.lbbb:
        return say("I" if qrs >= 150 else "IIa", f"LBBB, QRS {_band(qrs, 130)}")
    return say("IIa" if qrs >= 150 else "IIb", f"no LBBB, QRS {_band(qrs, 130)}")


def _outside(candidate: Candidate, source: str) -> Recommendation | None:
    """Return the answer where the rows by QRS do not apply at all."""
    if math.isnan(candidate.qrs_ms):
        reason = "not known: QRS duration could not be measured"
        return Recommendation(None, reason, (), source, checked=True, known=False)
    if candidate.paced:
        reason = "ventricular pacing: judged by its share and by LVEF, not by the QRS"
        return Recommendation(None, reason, (), source, checked=True)
    return None


def hrs_2023(candidate: Candidate) -> Recommendation:
    """Return the class of the 2023 HRS/APHRS/LAHRS guideline on cardiac physiologic pacing.

    The rows without LBBB and those below 120 ms were compared with the guideline's pocket edition
    (guidelinecentral, p. 16); the rows with LBBB could not be.
    """
    return decided(candidate, _hrs_rows)


def _hrs_rows(candidate: Candidate) -> Recommendation:
    def say(name: Class | None, reason: str, checked: bool = True) -> Recommendation:
        return Recommendation(name, reason, (), HRS_2023, checked)

    early = _outside(candidate, HRS_2023)
    if early is not None:
        return early
    if candidate.lvef is not None and candidate.lvef > LVEF_LIMIT:
        return say(None, "LVEF above 35 %: depends on the expected share of pacing", False)
    qrs, severe = candidate.qrs_ms, candidate.nyha is not None and candidate.nyha >= 3
    if qrs < 120:
        return say("III", "QRS below 120 ms")
    if candidate.sinus_rhythm is False:
        return say(None, "atrial fibrillation: depends on the expected share of pacing", False)
    if candidate.lbbb and candidate.nyha != 1:
        if qrs >= 150:
            return say("I", "LBBB, QRS of 150 ms and more", False)
        women = candidate.sex == "F"
        return say("I" if women else "IIa", "LBBB, QRS 120-149 ms; class I in women", False)
    if candidate.lbbb:
        return say(None, "LBBB without symptoms", False)
    if qrs >= 150:
        if candidate.nyha == 1:
            return say(None, "no LBBB, no symptoms: no statement")
        return say("IIa" if severe else "IIb", "no LBBB, QRS of 150 ms and more")
    return say("IIb" if severe else "III", "no LBBB, QRS 120-149 ms")


def _band(qrs_ms: float, low: int) -> str:
    return "of 150 ms and more" if qrs_ms >= 150 else f"{low}-149 ms"
