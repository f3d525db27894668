"""What networks that have learnt nothing look at: the null of counts of Grad-CAM maps.

A map of an untrained network shows what architecture, layout and pictures give by themselves
(the randomisation test of Adebayo et al. 2018, arXiv 1810.03292). Shuffled cells are no null: a map
of a network is smooth, and shuffling spreads it over both sides.
"""

from __future__ import annotations

import numpy as np
import torch

from dyssync.arrays import Bytes
from dyssync.explanation.gradcam import gradcam
from dyssync.explanation.regions import LeadWeights, call_regions, lead_shares
from dyssync.learning.network_input import stack
from dyssync.models.protocols import LooksAtPictures

STREAM = 0xCA4  # apart from every other use of a seed


def untrained_regions(
    model: LooksAtPictures,
    pictures: Bytes,
    weights: LeadWeights,
    *,
    stage: str,
    cut: float,
    number: int,
) -> tuple[str, ...]:
    """Return what the maps of one untrained network are called.

    Its batch norms take their statistics from these pictures. Those of a trained network fit its
    pictures as well, and no label goes into them. With the statistics of initialisation the grey
    of the paper reaches the last stage unchecked: of 60 such networks on 96 x 120 px a tenth of the
    maps were empty, and 89 % of the maps of a network had one name (61 % with fitted statistics;
    taken from other patients' pictures, no share differs by more than 1.2 points).

    Args:
        model: fitted or not.
        pictures: (n, H, W) uint8, n >= 1, what it is asked with.
        weights: from the cells of a map to leads.
        stage: of the encoder, such as "layer4".
        cut: as in :func:`dyssync.explanation.regions.call_region`.
        number: of the network, >= 0; same number, same weights.

    Returns:
        (n,) precordial, limb, both or none.
    """
    with torch.random.fork_rng(devices=[]):
        seed = np.random.SeedSequence([number, STREAM]).generate_state(1)[0]
        torch.manual_seed(int(seed))
        network = model.untrained_network()
    x = torch.from_numpy(stack(list(pictures)))
    fit_statistics(network, x)
    maps = gradcam(network, x, f"encoder.{stage}")
    return call_regions(lead_shares(maps, weights), weights, cut)


def fit_statistics(network: torch.nn.Module, x: torch.Tensor) -> None:
    """Set the statistics of all batch norms to those of these pictures, (n, 1, H, W) float32."""
    network.eval()  # dropout would draw from the generator of everybody
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.reset_running_stats()
            module.momentum = None  # a mean over all batches, of which there is one
            module.train()
    with torch.no_grad():
        # a lone picture twice: where a stage has one cell, a variance needs a second value
        network(x if len(x) > 1 else torch.cat([x, x]))
    network.eval()
