"""Splits by patient, drawn from a seed before anything learns.

Folds test every patient equally often and leave as many as possible to learn from; independent
splits, as the published study drew them, test some patients seven times and others never.
"""

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
    """Patient ids of the parts of one seed; disjoint. Folds have no validation part."""

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


def fold_patients(responses: pd.Series[int], repeats: int = 2, folds: int = 5) -> tuple[Split, ...]:
    """Deal the patients into folds, stratified by response, anew in each repeat.

    Args:
        responses: 0/1 by patient id, each patient once.
        repeats: how often each patient is tested.
        folds: in one repeat; each is tested by what learnt from the others.

    Returns:
        A split a fold, with seeds 1 to repeats * folds, repeat by repeat.

    Raises:
        CohortError: a class has fewer patients than folds.
    """
    splits: list[Split] = []
    everyone = {str(p) for p in responses.index}
    for repeat in range(1, repeats + 1):
        rng = np.random.default_rng(np.random.SeedSequence([repeat, 0xF01D]))
        tested: list[list[str]] = [[] for _ in range(folds)]
        for label in (0, 1):
            patients = np.array(sorted(str(p) for p in responses.index[responses == label]))
            if len(patients) < folds:
                raise CohortError(
                    f"a class has {len(patients)} patients; at least {folds} are needed, one a fold"
                )
            # the second class fills the folds that the first left smaller
            for k, patient in enumerate(rng.permutation(patients)):
                tested[k % folds if label == 0 else -1 - k % folds].append(str(patient))
        for held in tested:
            learnt = everyone.difference(held)
            seed = len(splits) + 1
            splits.append(Split(seed, tuple(sorted(learnt)), (), tuple(sorted(held))))
    return tuple(splits)


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


def ratio_of_parts(table: pd.DataFrame) -> float:
    """Return how many patients a fit is tested on for each that it learns from, over all fits.

    Args:
        table: as of :func:`split_table`; NaN where nobody learns.
    """
    sizes = table["part"].value_counts()
    learnt = int(sizes.get("train", 0))
    return int(sizes.get("test", 0)) / learnt if learnt else float("nan")


def split_table(responses: pd.Series[int], splits: Sequence[Split]) -> pd.DataFrame:
    """Return seed, part, patient_id, responder of every split, a row a patient and seed."""
    rows = [
        (split.seed, part, patient, int(responses[patient]))
        for split in splits
        for part in PARTS
        for patient in split.part(part)
    ]
    return pd.DataFrame(rows, columns=["seed", "part", "patient_id", "responder"])
