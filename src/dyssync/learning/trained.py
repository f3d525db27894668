"""A network in torch, looking at pictures where it has learnt."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from dyssync.arrays import Singles
from dyssync.learning.network import STAGES
from dyssync.learning.seen import Head, Seen
from dyssync.learning.training import make_fabric

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True, eq=False)
class TrainedNetwork:
    """A network on the fastest device at hand.

    Attributes:
        network: encoder and head, or a trunk alone; put in evaluation mode.
        precision: as in :func:`~dyssync.learning.training.make_fabric`.
    """

    network: torch.nn.Module
    precision: str = "auto"

    def look(self, pictures: Singles) -> Seen:
        """Return what it sees in pictures, (k, 1, H, W) float32."""
        import torch

        fabric = make_fabric(self.precision)
        network = self.network.to(fabric.device).eval()
        modules = dict(network.named_modules())
        encoder = modules.get("encoder")
        held: list[torch.Tensor] = []
        last = modules[STAGES[-1] if encoder is None else f"encoder.{STAGES[-1]}"]
        hook = last.register_forward_hook(lambda module, inputs, output: held.append(output))
        x = torch.from_numpy(pictures).to(fabric.device)
        try:
            with torch.no_grad(), fabric.autocast():
                out = network(x.contiguous(memory_format=torch.channels_last))
        finally:
            hook.remove()
        maps = held[0].float()
        if encoder is None:
            return Seen(_array(out), _array(maps))
        weights = network.get_parameter("head.1.weight")
        return Seen(
            _array(maps.mean(dim=(2, 3))), _array(maps), Head(_array(out)[:, 0], _array(weights)[0])
        )


def _array(values: torch.Tensor) -> Singles:
    held: Singles = values.detach().float().cpu().numpy()
    return held
