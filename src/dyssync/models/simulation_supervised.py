"""ResNet-18 that first learns from simulated hearts, of which everything is known."""

from __future__ import annotations

from typing import ClassVar

from dyssync.models.pretrained import PretrainedResNet18
from dyssync.pretraining.method import SIMULATION


class SimulationResNet18(PretrainedResNet18):
    """ResNet-18 whose trunk learnt to tell from the page what only a simulator knows of the heart.

    Nothing of pacing or response was among it. Its figures on virtual patients of the same
    simulator flatter it.
    """

    ENCODER: ClassVar[str] = "hearts"
    SUPERVISED: ClassVar[str] = SIMULATION
