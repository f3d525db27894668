"""`dyssync pretrain`."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dyssync.cli.batch import Workers
from dyssync.cli.paths import cache_folder
from dyssync.cli.progress import Bars
from dyssync.cli.terminal import say
from dyssync.errors import ConfigError, check_choice, counted

if TYPE_CHECKING:
    from dyssync.models.protocols import Pretrained
    from dyssync.pretraining.config import PretrainingConfig
    from dyssync.pretraining.encoder import Encoder

Optional = typer.Option
SIMULATED, ALONE = "sim-resnet18", "ssl-resnet18"  # the models that start from an encoder
SPOKEN = {"nothing": "self-supervised", "simulation": "supervised by simulation"}
WITHOUT_LIMIT = 1_000_000_000  # draws, where the user says how many passes


def pretrain(
    corpora: Annotated[
        list[str],
        typer.Argument(
            metavar="CORPUS...", help="Folders or tables of ECGs; shards, also s3://bucket/folder."
        ),
    ],
    out: Annotated[Path, Optional("--out", "-o", help="Folder of the encoder; made.")],
    method: Annotated[str, Optional(help="See dyssync list methods.")] = "measurements",
    start: Annotated[
        Path | None,
        Optional("--from", help="Encoder to go on from: a folder, or hearts, measurements."),
    ] = None,
    share: Annotated[
        list[float] | None,
        Optional(help="Of an epoch, one a corpus, adding up to 1. Default: by size."),
    ] = None,
    settings: Annotated[
        list[str] | None, Optional("--set", help="name=value, of the method's own.")
    ] = None,
    passes: Annotated[
        int | None, Optional(help="Epochs. Default: 60, or fewer that draw 200,000 ECGs.", min=1)
    ] = None,
    seed: Annotated[int, Optional(help="Same seed, same encoder.", min=0)] = 0,
    layout: Annotated[
        str | None,
        Optional(
            help="Of the model to come. Default: that of --from, or of the model that takes it."
        ),
    ] = None,
    training_layouts: Annotated[
        str | None, Optional(help="same, mixed, or names with commas between. Default: as layout.")
    ] = None,
    height: Annotated[int | None, Optional(help="Of a picture, px. Default: 128.", min=32)] = None,
    width: Annotated[int | None, Optional(help="Of a picture, px. Default: 160.", min=32)] = None,
    papers: Annotated[str | None, Optional(help="plain or mixed. Default: plain.")] = None,
    wear: Annotated[float | None, Optional(help="Largest severity, 0-5. Default: 0.")] = None,
    batch_size: Annotated[
        int | None, Optional(help="ECGs a step. Default: the method's.", min=2)
    ] = None,
    learning_rate: Annotated[float | None, Optional(help="Peak. Default: 0.001.")] = None,
    devices: Annotated[
        int, Optional(help="Processes that learn together on this machine: GPUs, or cores.", min=1)
    ] = 1,
    nodes: Annotated[int, Optional(help="Machines; docs/machines.md.", min=1)] = 1,
    meet_within: Annotated[
        float, Optional(help="Seconds that processes have to find each other.", min=1)
    ] = 120.0,
    bits: Annotated[int, Optional(help="Of a weight: 16, or 8 for half the bytes.")] = 16,
    workers: Workers = None,
    force: Annotated[bool, Optional("--force", help="Replace an encoder.")] = False,
) -> None:
    """Let a network learn from many ECGs before it sees a patient's response.

    Example: dyssync pretrain hearts --method hearts --passes 8 --out ENCODER

    Interrupted at any moment, the same command goes on where it was.
    """
    from dyssync.cohort.stores import place_of
    from dyssync.learning.training import Watch
    from dyssync.pretraining.config import PretrainingConfig
    from dyssync.pretraining.ranks import Ranks, leads
    from dyssync.pretraining.run import Asked, Told, pretrain_corpora
    from dyssync.workers import available_cores

    values: dict[str, Any] = {
        "height": height, "width": width, "papers": papers, "wear": wear,
        "batch_size": batch_size, "learning_rate": learning_rate, "passes": passes,
        "draws": None if passes is None else WITHOUT_LIMIT,
    }  # fmt: skip
    given = {name: value for name, value in values.items() if value is not None}
    looks = _layouts(method, start, layout, training_layouts)
    config = PretrainingConfig(method=method, settings=_settings(settings or []), **looks, **given)
    check_choice("bits", str(bits), ("16", "8"))
    asked = Asked([place_of(text) for text in corpora], config, share or (), seed, start, bits)
    ranks = Ranks(devices, nodes, meet_within)
    with Bars() as bars:
        on_progress, on_loss = bars.passes("learning")
        told = Told(bars.progress("preparing"), Watch(on_progress, None, on_loss))
        many = workers or available_cores()
        encoder, problems = pretrain_corpora(
            asked, out, cache=cache_folder(), workers=many, force=force, told=told, ranks=ranks
        )
        if not leads(ranks):
            return
        for problem in problems:
            bars.say(problem)
    say(_summary(encoder, out))


def _layouts(
    method: str, start: Path | None, layout: str | None, training_layouts: str | None
) -> dict[str, Any]:
    """Return layout and training layouts: as given, else the start's, else the model's to come."""
    from dyssync.learning.picture_config import MIXED, named_layouts
    from dyssync.pretraining import METHODS
    from dyssync.pretraining.encoder import encoder_at

    if start is not None:
        its = encoder_at(start).record.config
    else:
        its = _model(METHODS[method].SUPERVISED).pretraining_config()
    own = layout or its.layout
    if training_layouts is None and own == its.layout:
        return {"layout": own, "training_layouts": its.training_layouts}
    return {"layout": own, "training_layouts": named_layouts(training_layouts or MIXED, own)}


def _model(supervised: str) -> Pretrained:
    """Return the model that starts from encoders of that kind, with its defaults."""
    from dyssync.models import MODELS
    from dyssync.models.protocols import Pretrained

    name = SIMULATED if supervised == "simulation" and SIMULATED in MODELS else ALONE
    model = MODELS[name]()
    assert isinstance(model, Pretrained)
    return model


def _settings(texts: list[str]) -> dict[str, Any]:
    from dyssync.study.config import parse_value

    found = {}
    for text in texts:
        name, separator, value = text.partition("=")
        if not separator:
            raise ConfigError(f"--set {text}: name=value is needed")
        found[name.strip()] = parse_value(value)
    return found


def _summary(encoder: Encoder, out: Path) -> str:
    """Return what was learnt and how well, and what to do next, a line each."""
    record = encoder.record
    sources = ", ".join(
        f"{counted(source.recordings, 'ECG')} of {source.name} ({source.share:.0%} of the draws)"
        for source in record.sources
    )
    stages = " after ".join(stage.method for stage in reversed(record.stages))
    passes = counted(len(record.loss), "pass", "passes")
    return (
        f"{out}: {stages}, {SPOKEN[record.supervised]}, from {sources}; {passes}, "
        f"loss {record.loss[0]:.3f} to {record.loss[-1]:.3f}\n"
        f"next: dyssync study --cohort COHORT --out RUN {_start_with(record.config, encoder, out)}"
    )


def _start_with(config: PretrainingConfig, encoder: Encoder, out: Path) -> str:
    """Return the options of a study that starts from the encoder, on pictures like its own."""
    name = SIMULATED if encoder.record.supervised == "simulation" else ALONE
    its = _model(encoder.record.supervised).pretraining_config()
    sizes = {"height": config.height, "width": config.width}
    others = {
        key: getattr(config, key)
        for key in ("layout", "papers", "wear")
        if getattr(config, key) != getattr(its, key)
    }
    words = {"encoder": out, **sizes, **others}
    return " ".join(f"--set {shlex.quote(f'{name}.{key}={value}')}" for key, value in words.items())
