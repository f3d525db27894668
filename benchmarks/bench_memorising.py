"""Does an encoder tell hearts that it has learnt from better than others? Then it has memorised.

    python benchmarks/bench_memorising.py CORPUS [--encoder FOLDER]

CORPUS is what the encoder learnt from (`dyssync simulate --unlabelled`); other hearts of the same
population are simulated. Prints, of each fact that only a simulator knows, the share of its
variance (r^2) that the direction told by the encoder explains, in both.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from dyssync.arrays import Floats
from dyssync.cli.paths import cache_folder
from dyssync.cohort.shard_rows import HEARTS
from dyssync.learning.network import build_encoder, unpack_weights
from dyssync.learning.network_input import stack
from dyssync.pretraining.encoder import Encoder, load_encoder, shipped_encoder
from dyssync.pretraining.hearts import HEART
from dyssync.pretraining.preparing import prepare_material
from dyssync.pretraining.targets import normal_ranks
from dyssync.simulation.corpus import simulate_corpus
from dyssync.workers import available_cores
from fit_table import use_one_torch_thread
from markdown_rows import head, row

SEED_OF_OTHERS = 555  # no corpus of ours has it
BATCH = 50


def explained(encoder: Encoder, corpus: Path, count: int) -> Floats:
    """Return r^2 of each fact of the heart over the first `count` hearts of a corpus, (facts,)."""
    import torch

    cache = cache_folder() / "corpora"  # where pretraining left it
    material, _ = prepare_material([corpus], cache, workers=available_cores())
    method = encoder.record.config.make_method()
    method.prepare(material)
    rows = np.arange(min(count, len(method.rows)))
    hearts = normal_ranks(material.hearts(method.rows), least_known=0.0).values[rows]
    network = build_encoder()
    unpack_weights(network, encoder.weights)
    network.eval()
    rng, features = np.random.default_rng(0), []
    for start in range(0, len(rows), BATCH):
        pictures, _ = method.draw(rows[start : start + BATCH], rng)
        with torch.no_grad():
            features.append(network(torch.from_numpy(stack(pictures))).float().numpy())
    told = np.concatenate(features) @ encoder.directions()[HEART].T
    return np.array([_r2(a, b) for a, b in zip(told.T, hearts.T, strict=True)])


def _r2(told: Floats, true: Floats) -> float:
    known = np.isfinite(true)
    return float(np.corrcoef(told[known], true[known])[0, 1] ** 2)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("corpus", type=Path, help="that the encoder learnt from")
    parser.add_argument("--encoder", type=Path, help="folder; default the one that is shipped")
    parser.add_argument("--hearts", type=int, default=1500, help="looked at of each kind")
    parser.add_argument("--folder", type=Path, default=Path("build/bench-memorising"))
    options = parser.parse_args()
    use_one_torch_thread()
    encoder = load_encoder(options.encoder) if options.encoder else shipped_encoder("hearts")
    others = options.folder / f"wide-{options.hearts}"
    if not others.is_dir():
        simulate_corpus(options.hearts, SEED_OF_OTHERS, others, workers=available_cores())
    columns = [explained(encoder, corpus, options.hearts) for corpus in (options.corpus, others)]
    print(head("r^2", "learnt from", "others"))
    for name, *values in zip(HEARTS, *columns, strict=True):
        print(row(name, *(f"{value:.3f}" for value in values)))
    print(row("mean", *(f"{column.mean():.3f}" for column in columns)))


if __name__ == "__main__":
    main()
