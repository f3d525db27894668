"""The folder of a pretrained encoder: what was saved comes back, what was damaged is told."""

import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.numpy import save

from dyssync.cli.pretraining import _layouts
from dyssync.ecg import ECG
from dyssync.errors import ConfigError, ModelError
from dyssync.learning.network import build_encoder, pack_weights, unpack_weights
from dyssync.models.self_supervised import SelfSupervisedResNet18
from dyssync.models.simulation_supervised import SimulationResNet18
from dyssync.pretraining.config import PretrainingConfig
from dyssync.pretraining.encoder import (
    SHIPPED,
    CorpusSource,
    Encoder,
    EncoderRecord,
    Stage,
    digest_of_weights,
    encoder_at,
    load_encoder,
    shipped_encoder,
)
from dyssync.pretraining.loop import pretrain
from dyssync.pretraining.seen import Seen

WEIGHTS = b"weights of a network"
WHOM = Seen(b"patient0patient1", b"record00")
READ = save({"heart": np.eye(2, 512, dtype=np.float32)})


@pytest.fixture
def encoder(tmp_path: Path) -> Encoder:
    record = EncoderRecord(
        config=PretrainingConfig(layout="tiles", wear=1.0),
        seed=7,
        corpus_digest="c0",
        sources=(CorpusSource("shards", 3, True, 1.0),),
        earlier=(Stage("hearts", "simulation", (), "e0"),),
        loss=(1.5, 0.25),
        processes=(1, 2),
        sha256=digest_of_weights(WEIGHTS),
        seen_sha256=digest_of_weights(WHOM.pack()),
        readouts_sha256=digest_of_weights(READ),
    )
    made = Encoder(WEIGHTS, WHOM, record, READ)
    made.save(tmp_path / "encoder")
    return made


def test_saved_encoder_comes_back_and_names_its_layouts(encoder: Encoder, tmp_path: Path) -> None:
    assert load_encoder(tmp_path / "encoder") == encoder
    held = json.loads((tmp_path / "encoder" / "encoder.json").read_text())
    assert held["config"]["training_layouts"] == ["tiles", "tiles-qrs"]


def test_saving_again_replaces_the_encoder_whole(encoder: Encoder, tmp_path: Path) -> None:
    other = replace(
        encoder, weights=b"x", record=replace(encoder.record, sha256=digest_of_weights(b"x"))
    )
    other.save(tmp_path / "encoder")
    assert load_encoder(tmp_path / "encoder") == other
    assert [path.name for path in tmp_path.iterdir()] == ["encoder"]


def changed(change: Callable[[dict[str, Any]], object]) -> Callable[[bytes], bytes]:
    def edit(data: bytes) -> bytes:
        held = json.loads(data)
        change(held)
        return json.dumps(held).encode()

    return edit


DAMAGES: dict[str, tuple[Callable[[bytes], bytes], str]] = {
    "missing setting": (changed(lambda r: r["config"].pop("wear")), "wear: Field required"),
    "missing key": (changed(lambda r: r.pop("sources")), "sources: Field required"),
    "unknown setting": (changed(lambda r: r["config"].update(speed=1)), "config.speed: Unexpected"),
    "wrong type": (changed(lambda r: r.update(seed="7")), "seed: Input should be a valid integer"),
    "wrong kind": (changed(lambda r: r.update(loss={"a": 1})), "loss: Input should be"),
    "no list": (changed(lambda r: r.update(earlier="e0")), "earlier: Input should be"),
    "unknown layout": (changed(lambda r: r["config"].update(layout="3x5")), "unknown layout"),
    "cut": (lambda data: data[: len(data) // 2], "Invalid JSON"),
    "empty": (lambda data: b"", "Invalid JSON"),
    "no text": (lambda data: b"\xff\xfe\x00", "Invalid JSON"),
    "another thing": (lambda data: b"[1, 2]", "encoder.json: damaged"),
    "other weights": (changed(lambda r: r.update(sha256="0" * 64)), "differs from its sha256"),
    "others seen": (
        changed(lambda r: r.update(seen_sha256="0" * 64)),
        "seen.safetensors differs from its sha256",
    ),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_damaged_record_is_one_clear_line(damage: str, encoder: Encoder, tmp_path: Path) -> None:
    edit, said = DAMAGES[damage]
    path = tmp_path / "encoder" / "encoder.json"
    path.write_bytes(edit(path.read_bytes()))
    with pytest.raises(ModelError, match=re.escape(said)) as caught:
        load_encoder(tmp_path / "encoder")
    assert "\n" not in str(caught.value)


def test_folder_without_its_files_is_no_encoder(encoder: Encoder, tmp_path: Path) -> None:
    (tmp_path / "encoder" / "encoder.safetensors").unlink()
    with pytest.raises(ModelError, match=r"encoder is no encoder: encoder\.safetensors missing"):
        load_encoder(tmp_path / "encoder")


def test_eight_bits_change_features_by_less_than_two_percent(
    encoder: Encoder, tmp_path: Path
) -> None:
    torch.manual_seed(1)
    trunk = build_encoder().eval()
    weights = pack_weights(trunk)
    record = replace(encoder.record, sha256=digest_of_weights(weights))
    replace(encoder, weights=weights, record=record).save(tmp_path / "small", bits=8)
    small = load_encoder(tmp_path / "small")
    assert len(small.weights) < 0.52 * len(weights)
    assert small.packed().weights == small.weights  # again changes nothing more
    pictures = torch.randn(8, 1, 128, 160, generator=torch.Generator().manual_seed(2))
    with torch.no_grad():
        unpack_weights(trunk, weights)
        before = trunk(pictures)
        unpack_weights(trunk, small.weights)
        change = torch.linalg.norm(trunk(pictures) - before, dim=1)
    assert float((change / torch.linalg.norm(before, dim=1)).max()) < 0.02


def test_what_ships_is_small_whole_and_of_two_kinds() -> None:
    folders = {path.name: path for path in SHIPPED.iterdir()}
    assert set(folders) == {"hearts", "measurements"}
    size = sum(path.stat().st_size for folder in folders.values() for path in folder.iterdir())
    assert size <= 25e6, "the package would grow beyond 25 MB"
    page = (Path(__file__).parents[1] / "docs" / "encoder.md").read_text(encoding="utf-8")
    for name, supervised in (("hearts", "simulation"), ("measurements", "nothing")):
        record = shipped_encoder(name).record
        assert record.supervised == supervised
        assert all(source.simulated for source in record.sources), "a patient is in it"
        assert record.sha256 in page, "docs/encoder.md tells of another encoder"
    assert set(shipped_encoder("hearts").directions()) == {"heart"}


def test_encoder_is_found_by_folder_or_by_the_name_of_one_that_ships(
    encoder: Encoder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert encoder_at(Path("hearts")).record == shipped_encoder("hearts").record
    encoder.save(tmp_path / "hearts")
    assert encoder_at(Path("hearts")).record == load_encoder(tmp_path / "hearts").record
    with pytest.raises(ModelError, match=r"no such folder.*hearts, measurements"):
        encoder_at(Path("brains"))


def test_pretraining_draws_what_the_model_to_come_looks_at(toy: tuple[list[ECG], Any]) -> None:
    simulated, alone = SimulationResNet18(), SelfSupervisedResNet18()
    for asked, model in (
        (("hearts", None, None, None), simulated),
        (("measurements", None, None, None), alone),
        (("measurements", Path("hearts"), None, None), simulated),
    ):
        its = model.pretraining_config()
        held = {"layout": its.layout, "training_layouts": its.training_layouts}
        assert _layouts(*asked) == held
    assert simulated.pretraining_config().training_layouts == ("tiles",)
    assert len(set(alone.pretraining_config().training_layouts)) == 11
    mixed = {"layout": "tiles", "training_layouts": ("tiles", "tiles-qrs")}
    assert _layouts("measurements", None, "tiles", None) == mixed
    assert _layouts("hearts", None, "6x2", "same") == {
        "layout": "6x2",
        "training_layouts": ("6x2",),
    }
    config = PretrainingConfig(method="measurements")
    with pytest.raises(ConfigError, match=r"layout 3x4\+II: the encoder to go on from .* tiles"):
        pretrain(toy[0][:4], config, start=shipped_encoder("hearts"))
