"""What a training needs to go on after an interruption, and the best weights that it found."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

from dyssync.errors import ModelError
from dyssync.whole import write_bytes

CHECKPOINT = "checkpoint.safetensors"
CHECKPOINT_EVERY_S = 60.0  # writing a ResNet-18 with its optimiser takes 0.2 s


@dataclass
class History:
    """The course of a training run; grows by one entry an epoch.

    Attributes:
        loss: mean of an epoch.
        validation: value after it; none where nothing validates.
        best_epoch: epochs done when the validation value was best.
        processes: that learnt it together.
    """

    loss: list[float]
    validation: list[float]
    best_epoch: int = 0
    processes: list[int] = field(default_factory=list)


Saved: TypeAlias = tuple[dict[str, Any], History]  # tensors by name, and the course so far


class Checkpoint:
    """Module, optimiser, best weights and history on disk, as safetensors and JSON.

    Args:
        folder: where to keep them; None keeps the best weights in memory only.
        module: as in :func:`~dyssync.learning.training.train`.
        averaged: the running mean of its weights.
        optimizer: its AdamW.
    """

    def __init__(self, folder: Path | None, module: Any, averaged: Any, optimizer: Any) -> None:
        self.folder, self.module = folder, module
        self.averaged, self.optimizer = averaged, optimizer
        self.best: dict[str, Any] = {}
        self.saved_at = time.monotonic()

    def keep_best(self) -> None:
        """Copy the averaged weights of now."""
        held = self.averaged.module.state_dict()
        self.best = {k: v.detach().clone() for k, v in held.items()}

    def load_best(self) -> None:
        """Go back to the best weights."""
        if self.best:
            self.module.load_state_dict(self.best)

    def save(self, history: History) -> None:
        """Write everything, if the last writing is long enough ago; whole or not at all."""
        if self.folder is None or time.monotonic() - self.saved_at < CHECKPOINT_EVERY_S:
            return
        from safetensors.torch import save

        tensors = {f"now.{k}": v.contiguous() for k, v in self.module.state_dict().items()}
        tensors |= {f"mean.{k}": v.contiguous() for k, v in self.averaged.state_dict().items()}
        tensors |= {f"best.{k}": v.contiguous() for k, v in self.best.items()}
        for index, held in self.optimizer.state_dict()["state"].items():
            tensors |= {f"optimizer.{index}.{k}": v.contiguous() for k, v in held.items()}
        self.folder.mkdir(parents=True, exist_ok=True)
        data = save(tensors, {"history": json.dumps(asdict(history))})
        write_bytes(self.folder / CHECKPOINT, data)
        self.saved_at = time.monotonic()

    def resume(self, share: Callable[[Saved | None], Saved | None]) -> History:
        """Take back what was saved; an empty history when there is nothing.

        Args:
            share: returns, in each of several processes, what the first one has read; only that one
                has a folder.

        Raises:
            ModelError: it is damaged, or of another network.
        """
        from safetensors import SafetensorError

        path = self.folder / CHECKPOINT if self.folder else None
        try:
            saved = share(_read(path) if path is not None and path.is_file() else None)
            return History([], []) if saved is None else self._resume(*saved)
        except (SafetensorError, RuntimeError, LookupError, TypeError, ValueError) as error:
            if path is None:  # nothing was read here
                raise
            raise ModelError(
                f"{path}: checkpoint is damaged or of another version; remove it to begin anew"
            ) from error

    def _resume(self, tensors: dict[str, Any], history: History) -> History:
        if len(history.processes) != len(history.loss):
            raise ValueError("not known who learnt it")
        self.module.load_state_dict(_under("now.", tensors))
        self.averaged.load_state_dict(_under("mean.", tensors))
        self.best = _under("best.", tensors)
        state: dict[int, dict[str, Any]] = {}
        for key, value in _under("optimizer.", tensors).items():
            index, _, name = key.partition(".")
            state.setdefault(int(index), {})[name] = value
        groups = self.optimizer.state_dict()["param_groups"]
        self.optimizer.load_state_dict({"state": state, "param_groups": groups})
        return history


def _read(path: Path) -> Saved:
    from safetensors import safe_open

    with safe_open(path, framework="pt") as held:
        tensors = {key: held.get_tensor(key) for key in held.keys()}  # noqa: SIM118
        return tensors, History(**json.loads(held.metadata()["history"]))


def _under(prefix: str, tensors: dict[str, Any]) -> dict[str, Any]:
    return {k.removeprefix(prefix): v for k, v in tensors.items() if k.startswith(prefix)}
