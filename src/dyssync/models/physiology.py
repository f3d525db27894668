"""Which way a measurement may move the probability of response, where the literature says so.

Used as monotone constraints: a tree may find no effect, but not the opposite of a known one. What
the sources disagree on has no entry: LVEF (ScREEN gives a point above 25 %, Linde 2017 sees more
effect below), age, heart rate. 10.1002/clc.22043 and Linde 2017 place the largest effect of QRS
duration at 160-180 ms; beyond it a constraint that only forbids a fall is still met by a plateau.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Sign:
    """Direction of an effect on response: +1 more likely with larger values, -1 less."""

    sign: int
    reason: str


SIGNS: Mapping[str, Sign] = {
    "qrs_area_uvs": Sign(+1, "van Deursen 2015: OR 10.2 above 98 uVs; van Stipdonk 2018"),
    "qrs_duration_ms": Sign(+1, "10.1002/clc.22043: OR 1.027 a ms; Martins 2022 (24 studies)"),
    "t_area_uvs": Sign(+1, "Engels 2015: OR 1.17 every 10 uVs"),
    "sai_qrst_mvms": Sign(+1, "PMC4656057: upper against lower third OR 2.5"),
    "lbbb_esc": Sign(+1, "van Deursen 2015: OR 5.5; Martins 2022"),
    "lbbb_aha": Sign(+1, "van Deursen 2015: OR 4.5"),
    "lbbb_strauss": Sign(+1, "van Deursen 2015: OR 10.0"),
    "lateral_notch": Sign(+1, "PMC6932172: OR 4.0"),
    "lateral_delay_ms": Sign(+1, "Halamek 2019: delay goes with strict LBBB, r .61"),
    "tcrt": Sign(-1, "40 CRT patients of 189 with LBBB: more negative in those who improve"),
    "tmd_deg": Sign(+1, "same series: larger in those who improve"),
    "fqrs": Sign(-1, "QQ-LAE (10.1155/2020/3856294): OR 3.1 without fragmentation"),
    "selvester_lbbb": Sign(-1, "10.1155/2020/2036545: 7 points and more OR 0.33"),
    "sex": Sign(+1, "women: ScREEN OR 2.1; Martins 2022"),
    "ischaemic": Sign(-1, "scar does not remodel: Martins 2022; ESC 2021"),
    "nyha": Sign(-1, "ScREEN: class III and below OR 2.7; Martins 2022"),
    "af": Sign(-1, "EAARN, VALID-CRT: less pacing, worse outcome"),
}


def constraints(names: Sequence[str]) -> list[int]:
    """Return +1, -1 or 0 (none) for each feature."""
    return [SIGNS[name].sign if name in SIGNS else 0 for name in names]
