"""What is particular to the image model: boxes, pretrained starts."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from dyssync.ecg import ECG, LEADS
from dyssync.errors import ModelError
from dyssync.models.resnet import ResNet18
from dyssync.models.self_supervised import SelfSupervisedResNet18
from dyssync.pretraining.config import PretrainingConfig
from dyssync.pretraining.encoder import load_encoder
from dyssync.pretraining.loop import pretrain

Toy = tuple[list[ECG], np.ndarray]


@pytest.mark.parametrize("layout", ["3x4+II", "tiles"])
def test_lead_boxes_tile_the_picture_and_name_every_lead(layout: str) -> None:
    boxes = ResNet18(layout=layout, height=128, width=160).lead_boxes()
    assert {box.lead for box in boxes} == set(LEADS)
    cover = np.zeros((128, 160), dtype=int)
    for box in boxes:
        cover[round(box.y0) : round(box.y1), round(box.x0) : round(box.x1)] += 1
    assert (cover <= 1).all()
    assert cover.mean() > 0.95


@pytest.mark.slow
def test_encoder_survives_its_folder_and_refuses_its_own_patients(toy: Toy, tmp_path: Path) -> None:
    config = PretrainingConfig(height=64, width=64, passes=1)
    encoder = pretrain(toy[0][:8], config, seed=1)
    encoder.save(tmp_path / "encoder")
    again = load_encoder(tmp_path / "encoder")
    assert again == encoder
    again.check_unseen(toy[0][8:])
    with pytest.raises(ModelError, match=r"1 patients .*\(P03\)"):
        again.check_unseen([toy[0][3], toy[0][9]])
    renamed = replace(toy[0][3], patient_id="somebody else")
    with pytest.raises(ModelError, match=r"\(somebody else\)"):
        again.check_unseen([renamed])
    assert "P03" not in (tmp_path / "encoder" / "encoder.json").read_text()
    weights = tmp_path / "encoder" / "encoder.safetensors"
    data = bytearray(weights.read_bytes())
    data[-1] ^= 1
    weights.write_bytes(bytes(data))
    with pytest.raises(ModelError, match="differs from its sha256"):
        load_encoder(tmp_path / "encoder")


@pytest.mark.slow
def test_fit_starts_from_the_encoder(toy: Toy, tmp_path: Path) -> None:
    pretrain(toy[0][:8], PretrainingConfig(height=64, width=64, passes=1), seed=1).save(
        tmp_path / "encoder"
    )
    small = {"height": 64, "width": 64, "epochs": 1, "batch_size": 8, "test_views": 1}
    train, y = toy[0][8:24], toy[1][8:24]
    plain = ResNet18(**small).fit(train, y, seed=2)
    started = SelfSupervisedResNet18(encoder=str(tmp_path / "encoder"), **small)
    started.fit(train, y, seed=2)
    x = toy[0][24:28]
    assert not np.array_equal(plain.response_probability(x), started.response_probability(x))
