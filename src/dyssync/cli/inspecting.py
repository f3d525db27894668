"""`dyssync inspect`."""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dyssync.cli.paths import Force, Fs, Unit, check_file, whole
from dyssync.cli.rendering import (
    DPI,
    LAYOUT,
    STYLE,
    PageKind,
    page_header,
    person_line,
    recording_line,
)
from dyssync.cli.tables import as_json as measurements_json
from dyssync.inspection.wording import NONE, conduction, grid, rhythm, shown

if TYPE_CHECKING:
    from dyssync.ecg import ECG
    from dyssync.image import ECGImage
    from dyssync.inspection.recorder_beat import LaidOn
    from dyssync.measurements import Measurements
    from dyssync.measurements.quality import Quality

# Title, unit, our measurement, key of what the recorder printed.
COMPARED = (
    ("heart rate", "/min", "heart_rate_bpm", "rate"),
    ("PR", "ms", "pr_ms", "pr"),
    ("QRS", "ms", "qrs_duration_ms", "qrs"),
    ("QT", "ms", "qt_ms", "qt"),
    ("QTc (Bazett)", "ms", "qtc_bazett_ms", "qtc"),
    ("P axis", "deg", "p_axis_deg", "p_axis"),
    ("QRS axis", "deg", "qrs_axis_deg", "qrs_axis"),
    ("T axis", "deg", "t_axis_deg", "t_axis"),
)
IN_HEADER = 5  # of them, on top of a page
OWN = (
    ("QRS area uVs", "qrs_area_uvs"),
    ("T area uVs", "t_area_uvs"),
    ("QRS-T angle deg", "qrs_t_angle_deg"),
    ("R peak in V6 ms", "r_peak_ms_V6"),
    ("lateral - septal delay ms", "lateral_delay_ms"),
    ("leads with mid-QRS notch", "mid_notch_leads"),
)
QRS_APART_MS = 20.0  # from the recorder's; half a small square on paper
SAME_BEAT = 0.9  # correlation; 0.987 and more in ten real files, 0.34 where the beat is another's


def inspect(
    file: Annotated[Path, typer.Argument(help="ECG file, picture or PDF.")],
    picture: Annotated[
        Path | None, typer.Option(help="Draw the page: a .png, .svg or .pdf file.")
    ] = None,
    beat: Annotated[
        Path | None,
        typer.Option(help="Draw the typical beat with the marks of P, QRS and T: .png or .svg."),
    ] = None,
    layout: Annotated[str, typer.Option(help="Of the page; names: dyssync list layouts.")] = LAYOUT,
    fs: Fs = None,
    unit: Unit = None,
    page: Annotated[int, typer.Option(help="Page of a PDF or TIFF.")] = 1,
    keep_identifiers: Annotated[
        bool, typer.Option("--keep-identifiers", help="Show the patient's id too.")
    ] = False,
    force: Force = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Tell what a file holds: recording, quality of each lead, measurements beside the recorder's.

    Example: dyssync inspect ecg.xml --picture page.png --beat beat.png

    Faults of a lead: flat; clipped; noisy (over 0.1 mV); wander (over 0.5 mV); mains hum (over
    0.05 mV). Exit code 0: read; 2: not an ECG that can be used, and why.
    """
    from dyssync.errors import FormatError
    from dyssync.formats import ReadOptions, read_input
    from dyssync.image import ECGImage
    from dyssync.measurements import lead_quality, measure

    kind = PageKind(layout, STYLE, picture.suffix.lower()[1:] if picture else "png", DPI)
    if picture is not None:
        check_file(picture, (".png", ".svg", ".pdf"), force=force, inputs=[file])
    if beat is not None:
        check_file(beat, (".png", ".svg"), force=force, inputs=[file])
    read = read_input(
        file, ReadOptions(fs=fs, unit=unit, page=page, keep_identifiers=keep_identifiers)
    )
    if isinstance(read, ECGImage):
        if picture is not None or beat is not None:
            raise FormatError(
                f"{read.source.name}: is a picture already; a signal is needed to draw"
            )
        print(json.dumps(_image_json(read), indent=2) if as_json else _image_text(read))
        return
    found = _Findings(read, measure(read), lead_quality(read), _recorders_beat(read))
    print(json.dumps(_ecg_json(found), indent=2) if as_json else _ecg_text(found))
    _draw(found, picture, kind, beat)


@dataclass(frozen=True)
class _Findings:
    """An ECG and all that was found in it."""

    ecg: ECG
    found: Measurements
    quality: Quality
    recorders_beat: LaidOn | None

    @property
    def machine(self) -> dict[str, str]:
        """What the recorder measured and stated, by key of `machine.LABELS`."""
        from dyssync.formats.reading.recorder_notes import LABELS

        notes = self.ecg.notes
        return {key: notes[label] for key, label in LABELS.items() if label in notes}

    @property
    def other_notes(self) -> dict[str, str]:
        """Notes of the reader that are no measurements."""
        from dyssync.formats.reading.recorder_notes import LABELS

        own = set(LABELS.values())
        return {key: text for key, text in self.ecg.notes.items() if key not in own}

    @property
    def cautions(self) -> list[str]:
        """Those of the measurements, and a QRS duration far from the recorder's."""
        extra = []
        ours, theirs = self.found["qrs_duration_ms"], _number(self.machine.get("qrs", ""))
        if abs(ours - theirs) > QRS_APART_MS:
            extra = [
                f"QRS {ours:.0f} ms, the recorder says {theirs:.0f} ms: look at the marks "
                "(--beat beat.png)"
            ]
        laid = self.recorders_beat
        if laid is not None and laid.correlation < SAME_BEAT:
            extra.append(
                f"the recorder's beat is not like those of this ECG (correlation "
                f"{laid.correlation:.2f}): of another recording? (--beat beat.png)"
            )
        return [*self.found.cautions, *extra]


def _recorders_beat(ecg: ECG) -> LaidOn | None:
    """Return the recorder's beat laid on ours, None where one of the two is missing."""
    from dyssync.errors import InputError
    from dyssync.inspection.recorder_beat import laid_on
    from dyssync.measurements.heartbeat import heartbeat

    try:
        return None if ecg.beat is None else laid_on(ecg, heartbeat(ecg))
    except InputError:  # no beat of ours; the cautions of the measurements say why
        return None


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return math.nan


def _ecg_text(all_found: _Findings) -> str:
    ecg = all_found.ecg
    rows = [
        ["format", ecg.source.format],
        ["recording", f"{recording_line(ecg)}, 12 leads"],
        *([["person", ", ".join(person)]] if (person := person_line(ecg)) else []),
        *([["patient id", ecg.patient_id]] if ecg.patient_id else []),
        *([key, text] for key, text in all_found.other_notes.items()),
        *_beat_row(all_found),
        ["sha256", ecg.source.sha256],
    ]
    width = max(len(key) for key, _ in rows)
    lines = [ecg.source.name, *(f"  {key:{width}}  {text}" for key, text in rows)]
    lines += ["", "Leads (mV)", *_lead_lines(all_found)]
    lines += ["", "Measurements", *_measured_lines(all_found)]
    statements = all_found.machine.get("statements")
    if statements:
        lines += ["", "Recorder's statements", *(f"  {s}" for s in statements.split("; "))]
    cautions = [f"  {text}" for text in all_found.cautions] or ["  none"]
    return "\n".join([*lines, "", "Cautions", *cautions, "", "Research use only."])


def _beat_row(all_found: _Findings) -> list[list[str]]:
    beat, laid = all_found.ecg.beat, all_found.recorders_beat
    if beat is None:
        return []
    text = f"{beat.seconds:.1f} s at {beat.fs:g} Hz"
    if laid is not None:
        text += (
            f"; within the QRS at most {laid.difference_mv:.2f} mV from ours, correlation "
            f"{laid.correlation:.3f}"
        )
    return [["recorder's beat", text]]


def _lead_lines(all_found: _Findings) -> list[str]:
    """Return a line a lead: range, noise, wander, mains, faults."""
    head = ["lead", "lowest", "highest", "noise", "wander", "mains"]
    rows = [head]
    for lead in all_found.quality.leads:
        samples = all_found.ecg[lead.lead]
        numbers = (samples.min(), samples.max(), lead.noise_mv, lead.wander_mv, lead.mains_mv)
        rows.append([lead.lead, *(f"{value:.2f}" for value in numbers)])
    faults = ["", *(", ".join(lead.faults) for lead in all_found.quality.leads)]
    return [f"{line}  {text}".rstrip() for line, text in zip(grid(rows, "  "), faults, strict=True)]


def _measured_lines(all_found: _Findings) -> list[str]:
    found, machine = all_found.found, all_found.machine
    units = dict(zip(found.names, found.units, strict=True))
    own = [[title, shown(found[name], units[name])] for title, name in OWN]
    rows = [[f"{title} {u}", shown(found[name], units[name])] for title, u, name, _ in COMPARED]
    if machine:
        theirs = [machine.get(key, NONE) for *_, key in COMPARED]
        head = ["", "here", "recorder"]
        rows = [head, *([*row, text] for row, text in zip(rows, theirs, strict=True))]
        own = [[*row, ""] for row in own]
    words = [["conduction", conduction(found)], ["rhythm", rhythm(found)]]
    width = max(len(row[0]) for row in [*rows, *own])
    return [*grid([*rows, *own], "  "), *(f"  {k:{width}}  {text}" for k, text in words)]


def _ecg_json(all_found: _Findings) -> dict[str, object]:
    ecg = all_found.ecg
    leads = [
        {
            **asdict(lead),
            "lowest_mv": float(ecg[lead.lead].min()),
            "highest_mv": float(ecg[lead.lead].max()),
        }
        for lead in all_found.quality.leads
    ]
    return {
        "file": ecg.source.name,
        "format": ecg.source.format,
        "sha256": ecg.source.sha256,
        "fs": ecg.fs,
        "seconds": ecg.seconds,
        "age": ecg.age,
        "sex": ecg.sex,
        "recorded_at": None if ecg.recorded_at is None else ecg.recorded_at.isoformat(),
        "patient_id": ecg.patient_id,
        "notes": all_found.other_notes,
        "recorder": all_found.machine,
        "recorder_beat": _beat_json(all_found),
        "leads": leads,
        "swaps": list(all_found.quality.swaps),
        **measurements_json(all_found.found),
        "cautions": all_found.cautions,
    }


def _beat_json(all_found: _Findings) -> dict[str, float | None] | None:
    beat, laid = all_found.ecg.beat, all_found.recorders_beat
    if beat is None:
        return None
    return {
        "fs": beat.fs,
        "seconds": beat.seconds,
        "qrs_correlation": None if laid is None else laid.correlation,
        "qrs_difference_mv": None if laid is None else laid.difference_mv,
    }


def _image_json(image: ECGImage) -> dict[str, object]:
    height, width = image.pixels.shape[:2]
    return {
        "file": image.source.name,
        "format": image.source.format,
        "sha256": image.source.sha256,
        "width_px": width,
        "height_px": height,
        "notes": dict(image.notes),
    }


def _image_text(image: ECGImage) -> str:
    height, width = image.pixels.shape[:2]
    rows = [
        ["format", image.source.format],
        ["size", f"{width} x {height} px"],
        *([key, text] for key, text in image.notes.items()),
        ["sha256", image.source.sha256],
    ]
    lines = [f"  {key:9}  {text}" for key, text in rows]
    return "\n".join(
        [
            image.source.name,
            *lines,
            "",
            "A picture: models that see pictures can score it; measurements need a signal file.",
        ]
    )


def _draw(all_found: _Findings, picture: Path | None, page: PageKind, beat: Path | None) -> None:
    from dyssync.inspection.beat_figure import draw_beat
    from dyssync.rendering import PageOptions

    ecg, found = all_found.ecg, all_found.found
    if picture is not None:
        units = dict(zip(found.names, found.units, strict=True))
        numbers = [
            f"{title} {shown(found[name], units[name])} {word}"
            for title, word, name, _ in COMPARED[:IN_HEADER]
        ]
        header = (*page_header(ecg), "   ".join(numbers))
        with whole(picture) as part:
            part.write_bytes(page.draw(ecg, PageOptions(header=header)))
    if beat is not None:
        data = draw_beat(ecg, found, "svg" if beat.suffix.lower() == ".svg" else "png")
        with whole(beat) as part:
            part.write_bytes(data)
