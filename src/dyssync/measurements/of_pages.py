"""What cannot be measured on an ECG that was read off a page, and why (docs/digitising.md)."""

from __future__ import annotations

from collections.abc import Mapping

from dyssync.ecg import Shown

REPEATED = "beats seen for a few seconds a lead are repeated"
COARSE = "notches of half a millimetre are not to be told from the grain of a picture"
SPIKELESS = "pacing spikes may be too thin for a picture"
UNTIED = "no rhythm strip ties the columns of the page to each other"

# Where leads are seen in turn: what counts beats, or their likeness, in all of a recording.
OF_ALL_BEATS = ("ectopic_share", "n_beats", "snr_db", "worst_snr_db", "twr")
IF_NO = ("paced",)  # seen is seen, but not the other way round
OF_ORDER = ("rr_irregularity", "atrial_fibrillation")
# Error as large as the differences between patients on pages of 100 dpi.
OF_NOTCHES = ("notches_", "fqrs")
# Compare leads, or a lead with the onset of all, to milliseconds. Beats of columns that are laid on
# each other by their QRS are off by 5 ms: half or more of the differences between patients.
OF_TIMES = (
    "qrs_lead_sd_ms", "qrs_lead_range_ms", "r_peak_ms_", "first_notch_share", "qrs_svd_ratio",
    "t_svd_ratio", "qrs_loop_planarity", "qrs_loop_roundness", "qrs_loop_speed_mvs",
)  # fmt: skip
OF_SOME_LEADS = ("lateral_delay_ms", "lateral_r_delay_ms")  # alone: they have no common onset


def withheld(shown: Shown | None, needs: Mapping[str, tuple[str, ...]]) -> dict[str, str]:
    """Return which measurements a page does not allow, by name with the reason.

    Args:
        shown: of the ECG; None where it is no page's.
        needs: leads of every measurement, by name.
    """
    if shown is None:
        return {}
    found = {} if shown.exact else {n: COARSE for n in needs if n.startswith(OF_NOTCHES)}
    if not shown.exact:
        found |= dict.fromkeys(IF_NO, SPIKELESS)
    if len(shown.columns) > 1:
        found |= dict.fromkeys(OF_ALL_BEATS, REPEATED)
    if not shown.tied:
        found |= dict.fromkeys(OF_ORDER, UNTIED)
        found |= {name: UNTIED for name in needs if name.startswith(OF_TIMES)}
        found |= {name: UNTIED for name in OF_SOME_LEADS if not _together(shown, needs[name])}
    return found


def _together(shown: Shown, leads: tuple[str, ...]) -> bool:
    return any(set(leads) <= set(column) for column in shown.columns)


def page_cautions(shown: Shown | None, found: Mapping[str, str]) -> tuple[str, ...]:
    """Return why numbers of a page are missing or to be doubted, a sentence each.

    Args:
        shown: of the ECG; None where it is no page's.
        found: as :func:`withheld` returns.
    """
    if shown is None:
        return ()
    lines = []
    for why in dict.fromkeys(found.values()):
        names = [name for name in found if found[name] == why]
        few = ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
        lines.append(f"read off a page: {why}: {few} missing")
    once = [lead for lead, beats in shown.beats.items() if beats == 1]
    if once:
        lines.append(f"read off a page: one beat alone is seen of {', '.join(once)}")
    return tuple(lines)
