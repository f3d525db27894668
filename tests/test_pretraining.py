"""What is particular to each pretraining method."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy import stats
from torch.nn import functional

from dyssync.cohort.shards import HEARTS
from dyssync.ecg import ECG
from dyssync.errors import ConfigError, ModelError
from dyssync.learning.network_input import drawn_signal
from dyssync.learning.picture_config import PictureConfig
from dyssync.models.self_supervised import SelfSupervisedResNet18
from dyssync.pretraining.config import PretrainingConfig
from dyssync.pretraining.hearts import Hearts
from dyssync.pretraining.loop import pretrain
from dyssync.pretraining.material import Material, Part
from dyssync.pretraining.measurements import Measurements
from dyssync.pretraining.mixing import epoch_order
from dyssync.pretraining.simclr import SimCLR
from dyssync.pretraining.targets import normal_ranks
from dyssync.pretraining.vicreg import VICReg
from dyssync.pretraining.waveform import Waveform

Toy = tuple[list[ECG], np.ndarray]
PICTURES = PictureConfig((64, 64), gain=2.0, papers="mixed", wear=2.0)


def test_model_gives_the_method_its_settings() -> None:
    model = SelfSupervisedResNet18(method="simclr", method_settings={"temperature": 0.5})
    assert model.pretraining_config().settings == {"temperature": 0.5, "projection": 128}
    with pytest.raises(ConfigError, match=r"simclr: temperature is 0; 0\.001 to 100 is needed"):
        model.set_params(method_settings={"temperature": 0}).pretraining_config()


def test_simclr_loss_equals_the_formula_written_naively() -> None:
    method = SimCLR(PICTURES, temperature=0.3)
    z = torch.randn(6, 5, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    total = 0.0
    for i in range(6):  # equation 1 of arXiv 2002.05709
        j = (i + 3) % 6
        similar = [
            float(torch.exp(functional.cosine_similarity(z[i], z[k], dim=0) / 0.3))
            for k in range(6)
        ]
        total -= np.log(similar[j] / (sum(similar) - similar[i]))
    assert float(method.loss(z, torch.zeros(6, 0))) == pytest.approx(total / 6)
    swapped = torch.cat([z[3:], z[:3]])
    assert float(method.loss(swapped, torch.zeros(6, 0))) == pytest.approx(total / 6)


@pytest.fixture(scope="module")
def material(toy: Toy) -> Material:
    return Material.of(toy[0])


def components(method: Waveform, material: Material) -> np.ndarray:
    return method.fitted.of_rows(material, method.rows)


def test_waveform_targets_are_components_of_the_beat(material: Material) -> None:
    method = Waveform(PICTURES)
    method.prepare(material)
    targets = components(method, material)
    # components are uncorrelated over the corpus, the first has unit variance
    covariance = targets.T @ targets / len(method)
    np.testing.assert_allclose(covariance, np.diag(np.diag(covariance)), atol=1e-4)
    assert covariance[0, 0] == pytest.approx(1.0, rel=1e-3)


def test_waveform_whitens_as_far_as_it_is_told(material: Material) -> None:
    variances = {}
    for whitening in (0.0, 1.0):
        method = Waveform(PICTURES, components=4, whitening=whitening)
        method.prepare(material)
        variances[whitening] = components(method, material).var(axis=0)
    np.testing.assert_allclose(variances[1.0], np.ones(4), rtol=1e-3)
    assert (np.diff(variances[0.0]) < 0).all()


def test_wear_changes_the_picture_and_not_the_waveform_that_is_asked_for(
    material: Material,
) -> None:
    drawn = []
    for pictures in (PICTURES, replace(PICTURES, wear=0.0)):
        method = Waveform(pictures)
        method.prepare(material)
        drawn.append(method.draw(np.array([0]), np.random.default_rng(1)))
    (worn, asked), (clean, same) = drawn
    assert not np.array_equal(worn[0], clean[0])
    np.testing.assert_array_equal(asked, same)


def test_normal_ranks_are_those_of_a_normal_law_and_leave_out_what_cannot_be_asked() -> None:
    rng = np.random.default_rng(1)
    values = rng.lognormal(size=(1000, 4)).astype(np.float32)
    values[:, 1] = 3.0  # constant
    values[300:, 2] = np.nan  # known of too few
    values[::2, 3] = np.nan
    group = normal_ranks(values)
    assert group.values.shape == (1000, 2)
    assert stats.kstest(group.values[:, 0], "norm").pvalue > 0.9
    np.testing.assert_array_equal(np.isnan(group.values[:, 1]), np.isnan(values[:, 3]))
    # as large where the value is as large: ranks, whatever the scale
    order = np.argsort(values[:, 0])
    assert (np.diff(group.values[order, 0]) > 0).all()


def test_ties_get_one_score() -> None:
    held = normal_ranks(np.array([[0.0], [1.0], [0.0], [1.0], [1.0]], np.float32)).values[:, 0]
    assert len(set(held)) == 2
    assert held.mean() == pytest.approx(0.0, abs=1e-7)


def test_answering_with_the_mean_costs_one_in_every_group(material: Material) -> None:
    hearts = np.random.default_rng(1).normal(size=(48, len(HEARTS)))
    hearts[30:] = np.nan
    for method in (Measurements(PICTURES), Hearts(PICTURES)):
        method.prepare(
            material if isinstance(method, Measurements) else with_hearts(material, hearts)
        )
        asked = torch.from_numpy(method.groups.of(np.arange(48)))
        errors, known = method.groups.errors(torch.zeros_like(asked), asked)
        weight = known.sum(0)
        # each recording counts once, each number once: alike but for how many a recording has
        torch.testing.assert_close(
            (errors * known).sum(0) / weight, torch.ones(len(weight)), rtol=0.05, atol=0
        )


def with_hearts(material: Material, hearts: np.ndarray) -> Material:
    columns = replace(material.parts[0].columns, hearts=hearts.astype(np.float32))
    return Material([Part("known", True, columns)])


def test_measured_share_is_the_weight_of_what_is_measured_beside_a_heart(
    material: Material,
) -> None:
    hearts = np.random.default_rng(1).normal(size=(48, len(HEARTS)))
    hearts[1:] = np.where(np.arange(1, 48)[:, None] % 2, hearts[1:], np.nan)
    known = with_hearts(material, hearts)
    for share, row, wrong_heart_costs in ((0.25, 0, 0.75), (1.0, 0, 0.0), (0.25, 2, 0.0)):
        method = Hearts(PICTURES, measured_share=share)
        method.prepare(known)
        asked = torch.from_numpy(method.groups.of(np.array([row])))
        told = asked.nan_to_num()
        variance = method.groups.groups[0].variance
        told[:, : len(HEARTS)] += variance**0.5  # wrong by what the mean is wrong by
        assert float(method.loss(told, asked)) == pytest.approx(wrong_heart_costs, rel=1e-4)


def test_vicreg_loss_equals_the_equations_written_naively() -> None:
    method = VICReg(PICTURES, invariance=3.0, variance=2.0, covariance=0.5)
    z = torch.randn(10, 4, generator=torch.Generator().manual_seed(1)) * 0.5
    first, second = z[:5].numpy().astype(float), z[5:].numpy().astype(float)
    apart = np.mean((first - second) ** 2)
    flat = common = 0.0
    for view in (first, second):
        flat += np.mean([max(0.0, 1 - np.sqrt(np.var(c, ddof=1) + 1e-4)) for c in view.T]) / 2
        c = np.cov(view.T)
        common += sum(c[i, j] ** 2 for i in range(4) for j in range(4) if i != j) / 4
    wanted = 3.0 * apart + 2.0 * flat + 0.5 * common
    assert float(method.loss(z, torch.zeros(10, 0))) == pytest.approx(wanted, rel=1e-5)


@pytest.mark.parametrize("layout", ["3x4", "tiles", "tiles-qrs"])
def test_material_draws_what_the_recording_does_to_a_microvolt(
    layout: str, material: Material, toy: Toy
) -> None:
    for row in (0, 1):
        drawn = drawn_signal(toy[0][row], layout)
        held = material.signal(row, layout)
        assert held.shape == drawn.shape
        # a narrower panel is cut from the wide one, of beats that are all in the strip
        np.testing.assert_allclose(held, drawn, atol=5e-4 if layout == "3x4" else 0.02)


def test_an_epoch_draws_each_source_by_its_share() -> None:
    source = np.repeat([0, 1], [90, 10])
    order = epoch_order(source, (0.5, 0.5), np.random.default_rng(1))
    drawn = np.bincount(order, minlength=100)
    assert drawn[:90].sum() == drawn[90:].sum() == 50
    assert drawn[:90].max() == 1  # none twice where there are enough
    assert set(drawn[90:]) == {5}  # and all alike where there are not
    assert sorted(epoch_order(source, (), np.random.default_rng(1))) == list(range(100))


def test_an_encoder_goes_on_from_another_and_has_seen_what_that_has(toy: Toy) -> None:
    small = PretrainingConfig(method="measurements", height=64, width=64, passes=1)
    first = pretrain(toy[0][:6], small, seed=1)
    second = pretrain(
        toy[0][6:12], replace(small, method="simclr", settings={}), seed=1, start=first
    )
    assert second.record.started_from == first.record.sha256
    assert [stage.method for stage in second.record.stages] == ["measurements", "simclr"]
    assert second.record.supervised == "nothing"
    for patient in (toy[0][0], toy[0][11]):
        with pytest.raises(ModelError, match="1 patients"):
            second.check_unseen([patient])
    second.check_unseen(toy[0][12:])


def test_what_once_learnt_from_simulation_stays_supervised_by_it(toy: Toy) -> None:
    small = PretrainingConfig(method="hearts", height=64, width=64, passes=1)
    hearts = np.random.default_rng(1).normal(size=(6, len(HEARTS)))
    first = pretrain(Material.of(toy[0][:6], hearts), small)
    second = pretrain(toy[0][6:12], replace(small, method="measurements", settings={}), start=first)
    assert first.record.supervised == second.record.supervised == "simulation"
