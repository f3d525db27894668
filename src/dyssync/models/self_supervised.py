"""ResNet-18 that first learns from ECGs without labels: the study's second model."""

from __future__ import annotations

from typing import ClassVar

from dyssync.models.pretrained import PretrainedResNet18
from dyssync.pretraining.method import NOTHING


class SelfSupervisedResNet18(PretrainedResNet18):
    """ResNet-18 whose trunk learnt from what every ECG says of itself: no label, no simulator."""

    ENCODER: ClassVar[str] = "measurements"
    SUPERVISED: ClassVar[str] = NOTHING
