"""Splits by patient, drawn from a seed before anything learns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
import pandas as pd

from dyssync.errors import CohortError

Part: TypeAlias = Literal["train", "validation", "test"]
PARTS: tuple[Part, ...] = ("train", "validation", "test")


@dataclass(frozen=True)
class Split:
    """Patient ids of the three parts of one seed; disjoint."""

    seed: int
    train: tuple[str, ...]
    validation: tuple[str, ...]
    test: tuple[str, ...]

    def __post_init__(self) -> None:
        everyone = self.train + self.validation + self.test
        if len(set(everyone)) != len(everyone):
            raise CohortError(f"split of seed {self.seed}: a patient is in two parts")

    def part(self, name: Part) -> tuple[str, ...]:
        """Return the patient ids of one part."""
        parts = {"train": self.train, "validation": self.validation, "test": self.test}
        return parts[name]


def split_patients(
    responses: pd.Series[int], seed: int, fractions: tuple[float, float, float] = (0.6, 0.2, 0.2)
) -> Split:
    """Split patients into train, validation and test, stratified by response.

    Args:
        responses: 0/1 by patient id, each patient once.
        seed: draws the split; it depends on the set of patients, not on their order.
        fractions: share of train, validation and test; they sum to 1.

    Raises:
        CohortError: a class has too few patients for three parts.
    """
    rng = np.random.default_rng(np.random.SeedSequence([seed, 0x5917]))
    parts: dict[Part, list[str]] = {part: [] for part in PARTS}
    for label in (0, 1):
        patients = np.array(sorted(str(p) for p in responses.index[responses == label]))
        counts = _part_sizes(len(patients), fractions)
        order = rng.permutation(patients)
        for part, chunk in zip(PARTS, np.split(order, np.cumsum(counts)[:-1]), strict=True):
            parts[part] += [str(p) for p in chunk]
    return Split(seed, *(tuple(sorted(parts[part])) for part in PARTS))


def _part_sizes(n: int, fractions: tuple[float, float, float]) -> list[int]:
    """Return part sizes by largest remainder, each at least 1."""
    if n < len(fractions):
        raise CohortError(
            f"a class has {n} patients; at least {len(fractions)} are needed to split"
        )
    exact = np.array(fractions) * n
    sizes = np.maximum(np.floor(exact).astype(int), 1)
    while sizes.sum() < n:
        sizes[np.argmax(exact - sizes)] += 1
    while sizes.sum() > n:
        sizes[np.argmax(sizes)] -= 1
    return [int(s) for s in sizes]


def split_table(responses: pd.Series[int], splits: Sequence[Split]) -> pd.DataFrame:
    """Return seed, part, patient_id, responder of every split, a row a patient and seed."""
    rows = [
        (split.seed, part, patient, int(responses[patient]))
        for split in splits
        for part in PARTS
        for patient in split.part(part)
    ]
    return pd.DataFrame(rows, columns=["seed", "part", "patient_id", "responder"])
