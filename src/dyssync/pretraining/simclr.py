"""`simclr`: two pictures of one heart must be told from pictures of all others.

Chen et al. 2020, arXiv 2002.05709: normalised temperature-scaled cross entropy (NT-Xent).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from dyssync.arrays import Ints
from dyssync.ecg import ECG
from dyssync.errors import CohortError
from dyssync.layouts import LAYOUTS
from dyssync.learning.network_input import drawn_picture, drawn_signal
from dyssync.learning.picture_config import PictureConfig
from dyssync.pretraining.method import Pictures, Targets
from dyssync.pretraining.views import add_noise, apply_rotation, draw_rotation, hard_views
from dyssync.rendering import draw_view

if TYPE_CHECKING:
    import torch

TEMPERATURE = 0.2  # arXiv 2002.05709, appendix B.7: 0.1-0.5 for small batches
PROJECTION = 128  # width of the compared vectors, as in the paper


class SimCLR:
    """Tell hearts apart from views that share nothing but the heart (disjoint halves of the strip).

    Args:
        pictures: of the model to come; drawn in harder views than that model learns from.
    """

    def __init__(self, pictures: PictureConfig) -> None:
        self.pictures = pictures
        self.views = hard_views(pictures.views.layouts, pictures.gain)
        self.disjoint = LAYOUTS[pictures.layout].source == "rhythm"

    def prepare(self, ecgs: Sequence[ECG]) -> None:
        """Hold the signals; nothing is fitted."""
        if len(ecgs) < 2:
            raise CohortError(f"corpus: {len(ecgs)} recordings; at least 2 are needed to compare")
        self.signals = [drawn_signal(ecg, self.pictures.layout) for ecg in ecgs]

    def __len__(self) -> int:
        return len(self.signals)

    def outputs(self) -> int:
        """Return the width of the compared vectors."""
        return PROJECTION

    def draw(self, batch: Ints, rng: np.random.Generator) -> tuple[Pictures, Targets]:
        """Return two pictures of each heart: all first ones, then all second ones."""
        pictures: list[Pictures] = [[], []]
        for i in batch:
            signal = self.signals[i]
            halves = np.array_split(signal, 2, axis=1) if self.disjoint else [signal, signal]
            if rng.random() < 0.5:
                halves = halves[::-1]
            for side, half in enumerate(halves):
                turned = add_noise(apply_rotation(half, draw_rotation(rng)), rng)
                view = draw_view(rng, self.views)
                pictures[side].append(drawn_picture(turned, view, self.pictures, rng))
        return pictures[0] + pictures[1], np.zeros((2 * len(batch), 0), dtype=np.float32)

    def loss(self, outputs: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        """Return NT-Xent of (2 k, d) vectors whose rows i and i + k are one heart."""
        import torch
        from torch.nn import functional

        z = functional.normalize(outputs, dim=1)
        n = len(z)
        similarity = z @ z.T / TEMPERATURE
        itself = torch.eye(n, dtype=torch.bool, device=z.device)
        similarity = similarity.masked_fill(itself, float("-inf"))
        partner = torch.arange(n, device=z.device).roll(n // 2)
        return functional.cross_entropy(similarity, partner)
