"""Self-supervised learning on unlabelled ECGs; one file and one line here a method."""

from typing import Any

from dyssync.pretraining.method import Method
from dyssync.registry import Registry

__all__ = ["METHODS", "Method"]

METHODS: Registry[type[Method]] = Registry[Any](
    "method",
    {
        "waveform": "dyssync.pretraining.waveform:Waveform",
        "simclr": "dyssync.pretraining.simclr:SimCLR",
    },
)
