"""ResNet-18 that first learns from simulated hearts, of which everything is known."""

from __future__ import annotations

from typing import Any, ClassVar

from dyssync.learning.picture_config import PLAIN, SAME
from dyssync.models.pretrained import PretrainedResNet18
from dyssync.pretraining.method import SIMULATION


class SimulationResNet18(PretrainedResNet18):
    """ResNet-18 whose trunk learnt to tell from the ECG what only a simulator knows of the heart.

    Nothing of pacing or response was among it. Its figures on virtual patients of the same
    simulator flatter it. It looks at the median beat of each lead, drawn large, of a page at what
    was read off it: 40 ms are two pixels there, .6 in a page of the same size (docs/pretraining.md
    has what that is worth). Nobody prints such pages, so it learns from clean ones.

    Args:
        layout: as in :class:`~dyssync.models.resnet.ResNet18`.
        training_layouts: likewise.
        papers: likewise.
        wear: likewise.
        **parameters: as in :class:`~dyssync.models.pretrained.PretrainedResNet18`.
    """

    ENCODER: ClassVar[str] = "hearts"
    SUPERVISED: ClassVar[str] = SIMULATION

    def __init__(
        self,
        *,
        layout: str = "tiles",
        training_layouts: str = SAME,
        papers: str = PLAIN,
        wear: float = 0.0,
        **parameters: Any,
    ) -> None:
        super().__init__(
            layout=layout,
            training_layouts=training_layouts,
            papers=papers,
            wear=wear,
            **parameters,
        )
