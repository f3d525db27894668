"""A corpus as methods learn from it: everything computed once, held in memory or on disk."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Self

import numpy as np

from dyssync.arrays import Bools, Bytes, Floats, Ints, Singles
from dyssync.cohort.shard_rows import HEARTS, SIMULATED, Row
from dyssync.ecg import ECG, Signal
from dyssync.errors import ConfigError, check_range
from dyssync.layouts import LAYOUTS
from dyssync.learning.network_input import beat_panel, centre_of_panel
from dyssync.measurements.waveforms import FS
from dyssync.pretraining.columns import PANEL_S, STEPS, Columns, columns_of


@dataclass(frozen=True, eq=False)
class Part:
    """A source of a corpus.

    Attributes:
        name: of the table or folder.
        simulated: whether its hearts are virtual.
        columns: its recordings.
    """

    name: str
    simulated: bool
    columns: Columns

    @cached_property
    def ends(self) -> Ints:
        """(n,): where each signal ends in `columns.signals`."""
        return np.cumsum(self.columns.lengths)

    def __len__(self) -> int:
        return len(self.columns.lengths)

    def signal(self, row: int) -> Signal:
        """Return one filtered recording, (12, n) float32 mV at 250 Hz."""
        end = int(self.ends[row])
        samples = self.columns.signals[end - int(self.columns.lengths[row]) : end]
        return np.ascontiguousarray(samples.T, dtype=np.float32) / np.float32(STEPS)


class Material:
    """A corpus of one or several sources, prepared once; rows are numbered through.

    Args:
        parts: the sources.
        shares: how much of an epoch each is to have, adding up to 1; empty for shares by size.

    Raises:
        ConfigError: there are other shares than sources, or they do not add up to 1.
    """

    def __init__(self, parts: Sequence[Part], shares: Sequence[float] = ()) -> None:
        check_shares(shares, len(parts))
        self.parts, self.shares = tuple(parts), tuple(shares)
        sizes = np.array([len(part) for part in parts], dtype=np.int64)
        self.starts = np.cumsum(sizes) - sizes
        self.source: Ints = np.repeat(np.arange(len(parts)), sizes)  # (n,) number of each row's

    @classmethod
    def of(cls, ecgs: Sequence[ECG], hearts: Singles | None = None, name: str = "memory") -> Self:
        """Return ECGs as material in memory.

        Args:
            ecgs: the corpus.
            hearts: (n, len(HEARTS)), NaN where not known; None where nothing is.
            name: of the source, for the record.
        """
        unknown = np.full((len(ecgs), len(HEARTS)), np.nan, dtype=np.float32)
        known = unknown if hearts is None else hearts.astype(np.float32)
        simulated = all(ecg.source.format == SIMULATED for ecg in ecgs)
        return cls([Part(name, simulated, columns_of(map(Row, ecgs, known)))])

    def __len__(self) -> int:
        return len(self.source)

    @cached_property
    def digest(self) -> str:
        """sha256 of whose recordings these are, in their order, what is known of their hearts."""
        whole = hashlib.sha256(repr(self.shares).encode())
        for part in self.parts:
            for name in ("patients", "recordings", "hearts"):
                whole.update(np.ascontiguousarray(getattr(part.columns, name)).tobytes())
        return whole.hexdigest()

    @cached_property
    def beating(self) -> Bools:
        """(n,): whether a heartbeat is found."""
        return np.concatenate([part.columns.beating for part in self.parts])

    def measured(self, rows: Ints) -> Singles:
        """Return the measurements `columns.MEASURED` of some rows, (k, len(MEASURED)); NaN kept."""
        taken: Singles = self._take("measured", rows)
        return taken

    def hearts(self, rows: Ints) -> Singles:
        """Return what is known of the hearts, (k, len(HEARTS)); NaN where nothing is."""
        taken: Singles = self._take("hearts", rows)
        return taken

    def beats(self, rows: Ints) -> Floats:
        """Return median beats, (k, 12, m) float64 mV; NaN without a heartbeat."""
        taken: Floats = self._take("beats", rows).astype(np.float64)
        return taken

    def keys(self, column: str) -> Bytes:
        """Return the digests "patients" or "recordings" of all rows, (n, 8)."""
        taken: Bytes = self._take(column, np.arange(len(self)))
        return taken

    def signal(self, row: int, layout: str) -> Signal:
        """Return what `learning.network_input.drawn_signal` does of a recording, to 1 uV."""
        part, own = self._place(row)
        shown = LAYOUTS[layout]
        if shown.source == "rhythm":
            return part.signal(own)
        width = round(shown.seconds * FS)
        if not part.columns.beating[own]:
            return np.full((12, width), np.nan, np.float32)
        if shown.seconds > PANEL_S:  # of a plug-in
            return beat_panel(part.signal(own), shown.seconds)
        start = centre_of_panel(PANEL_S) - centre_of_panel(shown.seconds)
        panel = part.columns.panels[own, :, start : start + width]
        return panel.astype(np.float32) / np.float32(STEPS)

    def _place(self, row: int) -> tuple[Part, int]:
        k = int(self.source[row])
        return self.parts[k], row - int(self.starts[k])

    def _take(self, name: str, rows: Ints) -> Any:
        first = getattr(self.parts[0].columns, name)
        taken = np.empty((len(rows), *first.shape[1:]), first.dtype)
        sources = self.source[rows]
        for k in np.unique(sources):
            of_it = sources == k
            held = getattr(self.parts[k].columns, name)
            taken[of_it] = held[rows[of_it] - self.starts[k]]
        return taken


def check_shares(shares: Sequence[float], sources: int) -> None:
    """Refuse shares that do not fit the sources.

    Raises:
        ConfigError: there are some but not one a source, one is outside 0-1, or the sum is not 1.
    """
    if not shares:
        return
    if len(shares) != sources:
        raise ConfigError(f"share: {len(shares)} given for {sources} corpora; one each is needed")
    for share in shares:
        check_range("share", share, 0.0, 1.0)
    if abs(sum(shares) - 1.0) > 1e-6:
        raise ConfigError(f"share: they add up to {sum(shares):g}; 1 is needed")
