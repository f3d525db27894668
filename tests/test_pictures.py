"""What a network sees: training pictures of signals and of users' own pages."""

from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from multiprocessing import get_context

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from dyssync.ecg import ECG
from dyssync.errors import ConfigError, ModelError
from dyssync.image import ECGImage
from dyssync.keeping import keeping
from dyssync.layouts import LAYOUTS
from dyssync.learning import picture_config
from dyssync.learning.network_input import (
    INK_MEAN,
    INK_SD,
    asked_pictures,
    stack,
    training_picture,
)
from dyssync.learning.picture_config import MIXES, PictureConfig, named_layouts
from dyssync.models.base import signals_of
from dyssync.models.resnet import ResNet18
from dyssync.pretraining.config import PretrainingConfig
from dyssync.registry import Registry

Toy = tuple[list[ECG], np.ndarray]

SIZE = (96, 128)
PLAIN = PictureConfig(SIZE)
MIXED = named_layouts("mixed", "3x4+II")
RANDOM = PictureConfig(SIZE, training_layouts=MIXED, papers="mixed", wear=3.0)


def as_page(ecg: ECG, width: int = 640) -> ECGImage:
    """The ECG as a user's own picture."""
    grey = asked_pictures(ecg, PictureConfig((width * 3 // 4, width)), 1)[0]
    return ECGImage(np.repeat(grey[:, :, None], 3, axis=2))


@pytest.mark.parametrize("config", [PLAIN, RANDOM], ids=["plain", "random"])
@pytest.mark.parametrize("kind", ["signal", "picture"])
def test_one_seed_repeats_its_training_pictures_and_two_differ(
    config: PictureConfig, kind: str, toy: Toy
) -> None:
    x = toy[0][0] if kind == "signal" else as_page(toy[0][0])

    def drawn(seed: int) -> np.ndarray:
        rng = np.random.default_rng(seed)
        return np.stack([training_picture(x, config, rng) for _ in range(4)])

    np.testing.assert_array_equal(drawn(1), drawn(1))
    assert not np.array_equal(drawn(1), drawn(2))


@pytest.mark.slow
def test_two_workers_draw_what_one_process_draws(toy: Toy) -> None:
    ecg, seeds = toy[0][0], range(4)
    with ProcessPoolExecutor(2, get_context("spawn")) as pool:
        drawn = [
            pool.submit(training_picture, ecg, RANDOM, np.random.default_rng(k)) for k in seeds
        ]
        for k, future in zip(seeds, drawn, strict=True):
            here = training_picture(ecg, RANDOM, np.random.default_rng(k))
            np.testing.assert_array_equal(future.result(), here)


def test_without_augmentation_training_pictures_are_those_of_prediction(toy: Toy) -> None:
    config = replace(RANDOM, augment=False)
    rng = np.random.default_rng(0)
    picture = training_picture(toy[0][0], config, rng)
    np.testing.assert_array_equal(picture, asked_pictures(toy[0][0], config, 1)[0])


def test_tiles_of_a_recording_without_a_heartbeat_are_an_empty_page(toy: Toy) -> None:
    noise = np.random.default_rng(0).normal(0, 0.1, (12, 5000)).astype(np.float32)
    tiles = PictureConfig(SIZE, "tiles")
    empty, full = (asked_pictures(x, tiles, 1)[0] for x in (ECG(noise, 500.0), toy[0][0]))
    assert np.ptp(empty) == 0
    assert np.ptp(full) == 255


def test_mixed_layouts_keep_half_for_the_own_one_and_its_kind_of_signal() -> None:
    for own, kind in (("3x4+II", "rhythm"), ("tiles", "median-beat")):
        layouts = named_layouts("mixed", own)
        assert layouts.count(own) == len(layouts) / 2
        assert set(layouts) == set(MIXES[kind])
        assert PictureConfig(SIZE, own, training_layouts=layouts).views.layouts == layouts
    assert named_layouts("3x4, 6x2", "3x4") == ("3x4", "6x2")
    assert named_layouts("same", "tiles") == PictureConfig(SIZE, "tiles").views.layouts


def test_every_layout_of_a_mix_exists_and_shows_its_kind_of_signal() -> None:
    for kind, names in MIXES.items():
        assert {LAYOUTS[name].source for name in names} == {kind}
        assert len(set(names)) == len(names)


def test_a_layout_added_tomorrow_joins_no_mix(monkeypatch: pytest.MonkeyPatch) -> None:
    before = [named_layouts("mixed", "6x2"), PretrainingConfig(layout="tiles").training_layouts]
    added = {
        "2x6": replace(LAYOUTS["6x2"], name="2x6"),
        "tiles-t": replace(LAYOUTS["tiles"], name="tiles-t"),
    }
    more = Registry("layout", {**{name: LAYOUTS[name] for name in LAYOUTS}, **added})
    monkeypatch.setattr(picture_config, "LAYOUTS", more)
    after = [named_layouts("mixed", "6x2"), PretrainingConfig(layout="tiles").training_layouts]
    assert after == before
    # its own models have it beside the mix
    assert named_layouts("mixed", "2x6") == ("2x6",) * len(MIXES["rhythm"]) + MIXES["rhythm"]


def test_network_sees_ink_as_a_share_of_the_lightest_grey() -> None:
    pictures = np.random.default_rng(0).integers(0, 200, (3, 8, 10), dtype=np.uint8)
    pictures[2] = 0  # no paper at all
    paper = np.maximum(pictures.max(axis=(1, 2), keepdims=True), 1).astype(np.float64)
    ink = np.where(pictures.any(axis=(1, 2), keepdims=True), 1 - pictures / paper, 0.0)
    seen = stack(list(pictures))
    assert seen.dtype == np.float32
    np.testing.assert_allclose(seen[:, 0], (ink - INK_MEAN) / INK_SD, atol=1e-5)


def test_settings_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ConfigError, match="different signals"):
        PictureConfig(SIZE, "3x4", training_layouts=("3x4", "tiles"))
    with pytest.raises(ConfigError, match="unknown layout '3x5'"):
        PictureConfig(SIZE, training_layouts=("3x5",))
    with pytest.raises(ConfigError, match="wear is 6"):
        PictureConfig(SIZE, wear=6.0)
    with pytest.raises(ConfigError, match="unknown papers"):
        PictureConfig(SIZE, papers="pink")


def test_own_picture_is_seen_nearly_as_the_signal_it_was_drawn_from(toy: Toy) -> None:
    drawn = asked_pictures(toy[0][0], PLAIN, 1)[0].astype(float)
    for width in (400, 640, 1600):
        seen = asked_pictures(as_page(toy[0][0], width), PLAIN, 1)[0].astype(float)
        assert seen.shape == SIZE
        assert np.corrcoef(drawn.ravel(), seen.ravel())[0, 1] > 0.8


@pytest.mark.slow
def test_network_learns_from_random_pages_and_takes_pictures_of_them(toy: Toy) -> None:
    x, y = toy
    pages = [as_page(ecg, 400) for ecg in x]
    model = ResNet18(height=64, width=64, epochs=8, batch_size=8, test_views=1, wear=1.0)
    model.fit(pages[:32], y[:32], seed=1, validation=(pages[32:], y[32:]))
    p = model.response_probability(pages[32:])
    assert roc_auc_score(y[32:], p) > 0.8
    mixed = model.response_probability([pages[32], x[33], pages[34]])
    np.testing.assert_allclose(mixed[[0, 2]], p[[0, 2]], atol=2e-3)


def test_signal_models_name_the_pictures_they_cannot_take(toy: Toy) -> None:
    with pytest.raises(ModelError, match=r"lightgbm needs signals; memory is a picture"):
        signals_of([toy[0][0], as_page(toy[0][1], 400)], "lightgbm")


def test_members_of_a_bundle_share_one_drawing(toy: Toy) -> None:
    ecg = toy[0][0]
    with keeping():
        shared = [asked_pictures(ecg, config, 3) for config in (PLAIN, RANDOM)]
        assert all(a is b for a, b in zip(*shared, strict=True))
    again = asked_pictures(ecg, PLAIN, 3)
    assert not any(a is b for a, b in zip(shared[0], again, strict=True))
    np.testing.assert_array_equal(shared[0], again)
