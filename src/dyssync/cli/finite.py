"""Options that are numbers are finite: NaN passes every comparison with a limit."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

from dyssync.errors import ConfigError

P = ParamSpec("P")
R = TypeVar("R")


def finite(verb: Callable[P, R]) -> Callable[P, R]:
    """Let a verb refuse numbers that are none before it begins.

    Raises:
        ConfigError: an option is NaN or infinite; all of them are named.
    """

    @wraps(verb)
    def checked(*args: P.args, **options: P.kwargs) -> R:
        wrong = [f"--{name.replace('_', '-')}" for name, given in options.items() if _wrong(given)]
        if wrong:
            raise ConfigError(f"{', '.join(wrong)}: not finite; a number is needed")
        return verb(*args, **options)

    return checked


def _wrong(given: object) -> bool:
    values = given if isinstance(given, (list, tuple)) else [given]
    return any(isinstance(value, float) and not math.isfinite(value) for value in values)
