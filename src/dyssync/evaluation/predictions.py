"""The test predictions of a study, model by model: what curves and counts are made of."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from dyssync.arrays import Floats, Ints


@dataclass(frozen=True, eq=False)
class ModelPredictions:
    """Predictions of one model for the test patients of every seed.

    Attributes:
        model: name.
        seeds: in ascending order.
        y: outcomes, (n,) int64 a seed, 1 = responder.
        p: probabilities of response, (n,) float64 a seed, 0-1.
    """

    model: str
    seeds: tuple[int, ...]
    y: tuple[Ints, ...]
    p: tuple[Floats, ...]

    @property
    def n(self) -> int:
        """Number of predictions of all seeds together."""
        return sum(map(len, self.y))

    @property
    def pooled_y(self) -> Ints:
        """Outcomes of all seeds together, (n,)."""
        return np.concatenate([np.empty(0, dtype=np.int64), *self.y])

    @property
    def pooled_p(self) -> Floats:
        """Probabilities of all seeds together, (n,)."""
        return np.concatenate([np.empty(0), *self.p])


def predictions_by_model(predictions: pd.DataFrame) -> tuple[ModelPredictions, ...]:
    """Return the test-part predictions of every model, in the order of the table.

    Args:
        predictions: columns model, seed, part, y, p; rows without a probability are left out.
    """
    table = predictions[(predictions["part"] == "test") & predictions["p"].notna()]
    models = []
    for model, rows in table.groupby("model", sort=False):
        by_seed = [(int(str(seed)), part) for seed, part in rows.groupby("seed", sort=True)]
        models.append(
            ModelPredictions(
                model=str(model),
                seeds=tuple(seed for seed, _ in by_seed),
                y=tuple(part["y"].to_numpy(dtype=np.int64) for _, part in by_seed),
                p=tuple(part["p"].to_numpy(dtype=np.float64) for _, part in by_seed),
            )
        )
    return tuple(models)
