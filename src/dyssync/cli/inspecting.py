"""`dyssync inspect`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dyssync.cli.paths import Force, Fs, Unit, check_file
from dyssync.cli.terminal import say
from dyssync.inspection.page import LAYOUT, PageKind, measured_header, person_line, recording_line
from dyssync.inspection.wording import NONE, conduction, grid, measured, rhythm
from dyssync.whole import write_bytes

if TYPE_CHECKING:
    from dyssync.image import ECGImage
    from dyssync.inspection.findings import Findings


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

    A picture of a page is read off first, as dyssync digitise does, and what it shows is measured.

    Example: dyssync inspect ecg.xml --picture page.png --beat beat.png

    Faults of a lead: flat; clipped; noisy (over 0.1 mV); wander (over 0.5 mV); mains hum (over
    0.05 mV). Exit code 0: read; 2: not an ECG that can be used, and why.
    """
    from dyssync.errors import FormatError
    from dyssync.formats import ReadOptions, read_input
    from dyssync.image import ECGImage, ecg_of
    from dyssync.inspection.findings import examine, page_facts
    from dyssync.pages.reading_off import read_off

    kind = PageKind(layout, kind=picture.suffix.lower()[1:] if picture else "png")
    if picture is not None:
        check_file(picture, (".png", ".svg", ".pdf"), force=force, inputs=[file])
    if beat is not None:
        check_file(beat, (".png", ".svg"), force=force, inputs=[file])
    read = read_input(
        file, ReadOptions(fs=fs, unit=unit, page=page, keep_identifiers=keep_identifiers)
    )
    if isinstance(read, ECGImage):
        read = read_off(read)
    shown = ecg_of(read)
    if shown is None and (picture is not None or beat is not None):
        raise FormatError(
            f"{read.source.name}: is a picture; what cannot be read off it cannot be drawn"
        )
    found = None if shown is None else examine(shown)
    if isinstance(read, ECGImage):
        say(json.dumps(page_facts(read, found), indent=2) if as_json else _page_text(read, found))
    elif found is not None:
        say(json.dumps(found.to_dict(), indent=2) if as_json else _ecg_text(found))
    if found is not None:
        _draw(found, picture, kind, beat)


def _ecg_text(found: Findings) -> str:
    ecg = found.ecg
    rows = [
        ["format", ecg.source.format],
        ["recording", f"{recording_line(ecg)}, 12 leads"],
        *([["person", ", ".join(person)]] if (person := person_line(ecg)) else []),
        *([["patient id", ecg.patient_id]] if ecg.patient_id else []),
        *([key, text] for key, text in found.other_notes.items()),
        *_beat_row(found),
        ["sha256", ecg.source.sha256],
    ]
    width = max(len(key) for key, _ in rows)
    lines = [ecg.source.name, *(f"  {key:{width}}  {text}" for key, text in rows)]
    lines += ["", "Checks of the recording", *_check_lines(found)]
    lines += ["", "Leads (mV)", *_lead_lines(found)]
    lines += ["", "Measurements", *_measured_lines(found)]
    statements = found.recorder.get("statements")
    if statements:
        lines += ["", "Recorder's statements", *(f"  {s}" for s in statements.split("; "))]
    cautions = [f"  {text}" for text in found.cautions] or ["  none"]
    return "\n".join([*lines, "", "Cautions", *cautions, "", "Research use only."])


def _beat_row(found: Findings) -> list[list[str]]:
    beat, laid = found.ecg.beat, found.recorders_beat
    if beat is None:
        return []
    text = f"{beat.seconds:.1f} s at {beat.fs:g} Hz"
    if laid is not None:
        text += (
            f"; within the QRS at most {laid.difference_mv:.2f} mV from ours, correlation "
            f"{laid.correlation:.3f}"
        )
    return [["recorder's beat", text]]


def _check_lines(found: Findings) -> list[str]:
    """Return a line a finding, and one for each check that found nothing."""
    width = max(len(name) for name in found.checks)
    return [
        f"  {name:{width}}  {text}"
        for name, texts in found.checks.items()
        for text in texts or ["nothing found"]
    ]


def _lead_lines(found: Findings) -> list[str]:
    """Return a line a lead: range, noise, wander, mains, faults."""
    head = ["lead", "lowest", "highest", "noise", "wander", "mains"]
    rows = [head]
    for lead in found.quality.leads:
        samples = found.ecg[lead.lead]
        numbers = (samples.min(), samples.max(), lead.noise_mv, lead.wander_mv, lead.mains_mv)
        rows.append([lead.lead, *(f"{value:.2f}" for value in numbers)])
    faults = ["", *(", ".join(lead.faults) for lead in found.quality.leads)]
    return [f"{line}  {text}".rstrip() for line, text in zip(grid(rows, "  "), faults, strict=True)]


def _measured_lines(found: Findings) -> list[str]:
    from dyssync.inspection.findings import COMPARED, OWN

    ours, theirs = found.measurements, found.recorder
    own = [[f"{title} {unit}".rstrip(), measured(ours, name)] for title, unit, name in OWN]
    rows = [[f"{title} {unit}", measured(ours, name)] for title, unit, name, _ in COMPARED]
    if theirs:
        head = ["", "here", "recorder"]
        texts = [theirs.get(key, NONE) for *_, key in COMPARED]
        rows = [head, *([*row, text] for row, text in zip(rows, texts, strict=True))]
        own = [[*row, ""] for row in own]
    words = [["conduction", conduction(ours)], ["rhythm", rhythm(ours)]]
    width = max(len(row[0]) for row in [*rows, *own])
    return [*grid([*rows, *own], "  "), *(f"  {k:{width}}  {text}" for k, text in words)]


def _page_text(image: ECGImage, found: Findings | None) -> str:
    """Return what is known of a picture, and of the ECG that it shows."""
    from dyssync.inspection.findings import page_cautions

    height, width = image.pixels.shape[:2]
    rows = [
        ["format", image.source.format],
        ["size", f"{width} x {height} px"],
        *([key, text] for key, text in image.notes.items()),
        ["sha256", image.source.sha256],
    ]
    lines = [image.source.name, *(f"  {key:9}  {text}" for key, text in rows)]
    if found is None:
        lines += ["", f"{image.unread}. Models that see pictures can score it all the same."]
    else:
        lines += ["", found.ecg.notes["page"], "", "Measurements", *_measured_lines(found)]
    cautions = [*page_cautions(image), *(found.cautions if found else [])]
    told = [f"  {text}" for text in cautions] or ["  none"]
    return "\n".join([*lines, "", "Cautions", *told, "", "Research use only."])


def _draw(found: Findings, picture: Path | None, page: PageKind, beat: Path | None) -> None:
    from dyssync.inspection.beat_figure import draw_beat
    from dyssync.rendering import PageOptions

    if picture is not None:
        options = PageOptions(header=measured_header(found))
        write_bytes(picture, page.draw(found.ecg, options, found.heartbeat))
    if beat is not None:
        write_bytes(beat, draw_beat(found, "svg" if beat.suffix.lower() == ".svg" else "png"))
