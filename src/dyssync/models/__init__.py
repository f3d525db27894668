"""Models of response; one file and one line here a model."""

from collections.abc import Callable
from typing import Any

from dyssync.models.protocols import ResponseModel
from dyssync.registry import Registry

__all__ = ["MODELS", "ResponseModel"]

MODELS: Registry[Callable[..., ResponseModel]] = Registry[Callable[..., Any]](
    "model",
    {
        "resnet18": "dyssync.models.resnet:ResNet18",
        "ssl-resnet18": "dyssync.models.self_supervised:SelfSupervisedResNet18",
        "sim-resnet18": "dyssync.models.simulation_supervised:SimulationResNet18",
        "combined": "dyssync.models.combined:Combined",
        "lightgbm": "dyssync.models.boosting:Boosting",
        "ridge": "dyssync.models.ridge:Ridge",
        "logistic": "dyssync.models.logistic:Logistic",
        "guideline-esc-2021": "dyssync.models.rules:GuidelineESC2021",
        "guideline-hrs-2023": "dyssync.models.rules:GuidelineHRS2023",
        "qrs-area": "dyssync.models.rules:QRSArea",
        "lbbb-strauss": "dyssync.models.rules:StrictLBBB",
        "prevalence": "dyssync.models.prevalence:Prevalence",
    },
)
