"""Models of response; one file and one line here a model."""

from collections.abc import Callable
from typing import Any

from dyssync.models.base import ResponseModel
from dyssync.registry import Registry

__all__ = ["MODELS", "ResponseModel"]

MODELS: Registry[Callable[..., ResponseModel]] = Registry[Callable[..., Any]](
    "model",
    {
        "resnet18": "dyssync.models.resnet:ResNet18",
        "ssl-resnet18": "dyssync.models.resnet:SelfSupervisedResNet18",
        "lightgbm": "dyssync.models.boosting:Boosting",
        "logistic": "dyssync.models.logistic:Logistic",
        "prevalence": "dyssync.models.prevalence:Prevalence",
    },
)
