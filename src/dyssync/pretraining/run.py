"""From corpora on disk to an encoder on disk: prepared, learnt, saved; goes on after a kill."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from dyssync.cohort.stores import Place
from dyssync.learning.training import UNWATCHED, Watch
from dyssync.pretraining.config import PretrainingConfig
from dyssync.pretraining.encoder import Encoder, encoder_at
from dyssync.pretraining.loop import pretrain
from dyssync.pretraining.material import Material, check_shares
from dyssync.pretraining.preparing import prepare_material
from dyssync.pretraining.ranks import ALONE, Ranks, in_turn, leads, together
from dyssync.whole import check_replaceable, one_maker, partial_folder
from dyssync.workers import OnProgress, unwatched

if TYPE_CHECKING:
    from lightning_fabric import Fabric

KIND = "encoder"  # of a folder, for `--force`
MADE_FROM = "made_from.json"  # in the folder of a checkpoint: of what it is one


@dataclass(frozen=True)
class Asked:
    """Which encoder is to be made.

    Attributes:
        corpora: as `cohort.pieces.pieces_of` takes them.
        config: how it learns.
        shares: of an epoch, one a corpus; empty for shares by size.
        seed: of initialisation, order and views.
        start: folder of the encoder to go on from, or the name of one that ships; None starts at
            random.
        bits: of each weight on disk, 16 or 8.
    """

    corpora: Sequence[Place]
    config: PretrainingConfig
    shares: Sequence[float] = ()
    seed: int = 0
    start: Path | None = None
    bits: int = 16


@dataclass(frozen=True)
class Told:
    """Who looks on.

    Attributes:
        preparing: called with how many pieces of the corpora are prepared, of how many.
        learning: of the epochs; its checkpoint is chosen here.
    """

    preparing: OnProgress = unwatched
    learning: Watch = UNWATCHED


UNTOLD = Told()


def pretrain_corpora(
    asked: Asked,
    out: Path,
    *,
    cache: Path,
    workers: int = 1,
    force: bool = False,
    told: Told = UNTOLD,
    ranks: Ranks = ALONE,
) -> tuple[Encoder, list[str]]:
    """Make the encoder and save it in the folder `out`.

    A checkpoint lies beside it meanwhile (`.<name>.checkpoint`): after an interruption the same
    call goes on, and leaves the same bytes. It may go on with another number of processes.

    Args:
        asked: which.
        out: a new folder.
        cache: folder for prepared corpora.
        workers: processes for preparing.
        force: replace an encoder.
        told: who looks on.
        ranks: processes that learn; the first of them alone writes and tells.

    Returns:
        The encoder, and a line for each corpus that recordings were left out of.

    Raises:
        InputError: `out` may not be replaced or cannot be written, or another process makes it.
        CohortError: a corpus cannot be read, or lacks what the method needs.
        ConfigError: the shares do not fit the corpora.
        ModelError: `asked.start` is no encoder, or a checkpoint is damaged.
    """
    check_shares(asked.shares, len(asked.corpora))
    first = leads(ranks)
    if first:
        check_replaceable(out, KIND, force=force)
    follow = partial(_follow, asked, cache, 1)
    with together(ranks, asked.config.precision, follow) as fabric:
        if not first and fabric is not None:
            return _follow(asked, cache, workers, fabric)
        with one_maker(out):
            return _pretrained(asked, out, cache, workers, force, told, fabric)


def _follow(asked: Asked, cache: Path, workers: int, fabric: Fabric) -> tuple[Encoder, list[str]]:
    """Learn with the others, and leave it to the first to write and tell."""
    start = None if asked.start is None else encoder_at(asked.start)
    material, _ = _prepared(asked, cache, workers, unwatched, fabric)
    return pretrain(material, asked.config, seed=asked.seed, start=start, fabric=fabric), []


def _prepared(
    asked: Asked, cache: Path, workers: int, on_progress: OnProgress, fabric: Fabric | None
) -> tuple[Material, list[str]]:
    """Prepare the corpora; of several processes the first, then the first of each other machine.

    Where machines share the cache, those find there what the first has made; as do all others.
    """
    prepare = partial(
        prepare_material, asked.corpora, cache / "corpora",
        shares=asked.shares, workers=workers, on_progress=on_progress,
    )  # fmt: skip
    return prepare() if fabric is None else in_turn(fabric, prepare)


def _pretrained(
    asked: Asked,
    out: Path,
    cache: Path,
    workers: int,
    force: bool,
    told: Told,
    fabric: Fabric | None,
) -> tuple[Encoder, list[str]]:
    start = None if asked.start is None else encoder_at(asked.start)
    material, problems = _prepared(asked, cache, workers, told.preparing, fabric)
    began = start.record.sha256 if start is not None else ""
    key = asked.config.digest(material.digest, started_from=began)
    settings = {"made_from": f"{key} {asked.seed}"}
    checkpoint = partial_folder(_checkpoint_of(out), KIND, MADE_FROM, settings)
    encoder = pretrain(
        material,
        asked.config,
        seed=asked.seed,
        start=start,
        watch=Watch(told.learning.on_progress, checkpoint, told.learning.on_loss),
        fabric=fabric,
    )
    encoder.save(out, bits=asked.bits, kind=KIND, force=force)
    shutil.rmtree(checkpoint, ignore_errors=True)
    return encoder, problems


def _checkpoint_of(out: Path) -> Path:
    """Return the folder in which the checkpoint of an encoder lies meanwhile."""
    whole = out.absolute()
    return whole.with_name(f".{whole.name}.checkpoint")
