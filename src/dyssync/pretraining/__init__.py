"""Learning from ECGs without labels, before any patient's; one file and one line here a method."""

from typing import Any

from dyssync.pretraining.method import Method
from dyssync.registry import Registry

__all__ = ["METHODS", "Method"]

METHODS: Registry[type[Method]] = Registry[Any](
    "method",
    {
        "waveform": "dyssync.pretraining.waveform:Waveform",
        "measurements": "dyssync.pretraining.measurements:Measurements",
        "simclr": "dyssync.pretraining.simclr:SimCLR",
        "vicreg": "dyssync.pretraining.vicreg:VICReg",
        "hearts": "dyssync.pretraining.hearts:Hearts",
    },
)
