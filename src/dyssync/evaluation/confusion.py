"""Right and wrong calls at a threshold, in counts."""

from __future__ import annotations

from dataclasses import dataclass

from sklearn.metrics import confusion_matrix

from dyssync.arrays import Floats, Ints


@dataclass(frozen=True)
class Confusion:
    """Counts of predictions at a threshold; "positive" means predicted to respond."""

    true_positive: int
    false_positive: int
    false_negative: int
    true_negative: int

    def __add__(self, other: Confusion) -> Confusion:
        return Confusion(
            self.true_positive + other.true_positive,
            self.false_positive + other.false_positive,
            self.false_negative + other.false_negative,
            self.true_negative + other.true_negative,
        )


def count_confusion(y: Ints, p: Floats, threshold: float) -> Confusion:
    """Count the four kinds of predictions, "responder" being ``p >= threshold``.

    >>> import numpy as np
    >>> count_confusion(np.array([1, 1, 0]), np.array([0.5, 0.2, 0.1]), 0.5)
    Confusion(true_positive=1, false_positive=0, false_negative=1, true_negative=1)
    """
    (tn, fp), (fn, tp) = confusion_matrix(y, p >= threshold, labels=[0, 1])
    return Confusion(int(tp), int(fp), int(fn), int(tn))
