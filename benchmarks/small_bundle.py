"""A bundle of models that are fitted in a moment, and its seal set anew after a change."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from dyssync.arrays import Ints
from dyssync.ecg import ECG
from dyssync.models import MODELS
from dyssync.prediction.bundle import About, Answering, Graded, save_bundle
from dyssync.prediction.crossfit import cross_fit
from dyssync.prediction.saved import save_model
from dyssync.prediction.training_data import SignalLook, TrainingData

QUICK: Mapping[str, Mapping[str, Any]] = {
    "lightgbm": {"rounds": 20, "min_leaf": 3},
    "ridge": {},
    "logistic": {},
    "qrs-area": {},
    "prevalence": {},
}
MEMBERS = 2


def make_bundle(ecgs: Sequence[ECG], labels: Ints, folder: Path) -> Path:
    """Write a bundle of quick models, each fitted to both halves of the recordings; return it.

    Args:
        ecgs: recordings, of a patient each.
        labels: (n,) responses; in each half of the positions there are both.
        folder: new, for the bundle and its members.
    """
    part = np.arange(len(ecgs)) // 2 % MEMBERS
    models: dict[str, Graded] = {}
    for name, params in QUICK.items():
        members: dict[str, Path] = {}
        tested: list[tuple[int, str, int, float]] = []
        for k in range(MEMBERS):
            inside, outside = np.flatnonzero(part == k), np.flatnonzero(part != k)
            model = MODELS[name](**params)
            model.fit([ecgs[int(i)] for i in inside], labels[inside])
            member = members[f"fit-{k + 1:02d}"] = folder / "members" / name / str(k)
            save_model(model, name, member)
            logits = model.logits([ecgs[int(i)] for i in outside])
            tested += [
                (k + 1, f"P{i}", int(labels[i]), z) for i, z in zip(outside, logits, strict=True)
            ]
        table = pd.DataFrame(tested, columns=["seed", "patient_id", "y", "logit"])
        graded = cross_fit(table, list(members), own_scale=False)
        models[name] = Graded(members, Answering(graded.fit, None))
    look = SignalLook((250.0, 250.0), (0.1, 3.0), ())
    about = About(
        n_patients=len(ecgs),
        base_rate=float(np.mean(labels)),
        threshold=0.5,
        seconds=10.0,
        training=TrainingData(look, None),
        shuffled_labels=False,
        simulated=False,
        encoders={},
        best_first=("ridge", "lightgbm", "logistic", "prevalence"),
        cohort_digest="0" * 64,
    )
    save_bundle(folder / "bundle", models, about)
    return folder / "bundle"


def seal(bundle: Path) -> None:
    """Bring all digests of a bundle in line with its files, as whoever changes it on purpose."""
    renamed: dict[str, str] = {}
    for held in list((bundle / "files").iterdir()):
        renamed[held.name] = hashlib.sha256(held.read_bytes()).hexdigest()
        held.rename(bundle / "files" / renamed[held.name])
    for member in bundle.rglob("model.json"):
        text = member.read_bytes()
        for old, new in renamed.items():
            text = text.replace(old.encode(), new.encode())
        member.write_bytes(text)
    manifest = json.loads((bundle / "manifest.json").read_bytes())
    files = [p for p in bundle.rglob("*") if p.is_file() and not p.name.startswith("manifest")]
    manifest["files"] = {
        p.relative_to(bundle).as_posix(): hashlib.sha256(p.read_bytes()).hexdigest() for p in files
    }
    sign(bundle, json.dumps(manifest).encode())


def sign(bundle: Path, text: bytes) -> None:
    """Write a manifest and the digest that belongs to it."""
    (bundle / "manifest.json").write_bytes(text)
    (bundle / "manifest.sha256").write_text(hashlib.sha256(text).hexdigest() + "\n")
