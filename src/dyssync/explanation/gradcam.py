"""Grad-CAM (Selvaraju et al. 2017, arXiv 1610.02391) for a network with one logit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dyssync.arrays import Singles
from dyssync.errors import check_choice

if TYPE_CHECKING:
    import torch


def gradcam(
    network: torch.nn.Module, x: torch.Tensor, stage: str, *, response: bool = True
) -> Singles:
    """Return where the network found evidence for response (or for non-response).

    The target is +logit for response and -logit for non-response; with a single logit the usual
    "score of the predicted class" silently explains the wrong one. Maps are raw: scaling is
    drawing's business, and a map without any positive evidence stays all zero.

    Args:
        network: maps x to (n, 1) logits; has a submodule called `stage`.
        x: (n, 1, H, W) float32 pictures.
        stage: name of the submodule whose output is weighed, such as "encoder.layer4".
        response: explain response, else non-response.

    Returns:
        (n, h, w) float32, >= 0, at the resolution of the stage.
    """
    import torch

    modules = dict(network.named_modules())
    check_choice("stage", stage, modules)
    held: list[torch.Tensor] = []
    hook = modules[stage].register_forward_hook(lambda module, inputs, output: held.append(output))
    was_training = network.training
    network.eval()
    try:
        with torch.enable_grad():
            logits = network(x.to(next(network.parameters()).device))
            score = logits.sum() if response else -logits.sum()
            (gradient,) = torch.autograd.grad(score, held)
    finally:
        hook.remove()
        network.train(was_training)
    weights = gradient.mean(dim=(2, 3), keepdim=True)  # (n, channels, 1, 1)
    maps = torch.relu((weights * held[0]).sum(dim=1))
    return maps.detach().float().cpu().numpy()
