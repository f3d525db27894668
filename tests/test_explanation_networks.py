"""Counts of regions with the network as the unit: agreement on patients, shares, the null."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from sklearn.metrics import cohen_kappa_score

from dyssync.ecg import LEADS
from dyssync.explanation.agreement import LEAST_PATIENTS, NAMES, Agreement, kappa, region_agreement
from dyssync.explanation.networks import (
    UNTRAINED,
    mean_share,
    published_against,
    region_shares,
    untrained_numbers,
)
from dyssync.explanation.regions import REGIONS, LeadWeights, lead_weights
from dyssync.explanation.untrained import fit_statistics, untrained_regions
from dyssync.models.resnet import ResNet18
from dyssync.rendering import LeadBox

names = st.sampled_from(REGIONS)


def agreement(table: dict[int, dict[str, str]], draws: int = 200) -> Agreement:
    """Judge names by network and patient."""
    rows = [(p, n, name) for n, held in table.items() for p, name in held.items()]
    patients, networks, regions = zip(*rows, strict=True)
    return region_agreement(patients, networks, regions, np.random.default_rng(0), draws)


def by_network(*names: list[str]) -> dict[int, dict[str, str]]:
    """Return the names by network of the same patients."""
    return {j: {f"P{i}": name for i, name in enumerate(held)} for j, held in enumerate(names)}


def test_names_that_follow_the_patient_agree_above_chance() -> None:
    held = ["limb", "precordial", "both"] * 10
    found = agreement(by_network(held, held))
    assert (found.n_pairs, found.agreement) == (30, 1.0)
    assert found.expected == pytest.approx(1 / 3)
    assert kappa(found.agreement, found.expected) == pytest.approx(1.0)
    assert found.above_chance is True


@pytest.mark.parametrize("second", ["limb", "precordial"])
def test_networks_that_give_everybody_one_name_say_nothing_of_patients(second: str) -> None:
    found = agreement(by_network(["limb"] * 30, [second] * 30))
    assert found.agreement == found.expected == float(second == "limb")
    assert (found.low, found.high, found.above_chance) == (0.0, 0.0, False)


def test_names_drawn_by_accident_are_above_chance_about_as_rarely_as_the_interval_says() -> None:
    rng, above, trials = np.random.default_rng(7), 0, 100
    for _ in range(trials):
        table: dict[int, dict[str, str]] = {}
        for repeat in range(2):
            fold = rng.permutation(60) % 5
            habits = rng.dirichlet(np.ones(3), 5)
            for i, k in enumerate(fold):
                name = str(rng.choice(NAMES, p=habits[k]))
                table.setdefault(5 * repeat + int(k), {})[f"P{i}"] = name
        above += agreement(table).above_chance is True
    # 2.5 are due; 9 or more happen by accident once in 1,000
    assert above <= 8


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(NAMES), st.sampled_from(NAMES)), min_size=2, max_size=40))
def test_two_networks_have_the_kappa_of_scikit_learn(pairs: list[tuple[str, str]]) -> None:
    first, second = (list(held) for held in zip(*pairs, strict=True))
    found = agreement(by_network(first, second), draws=2)
    if len({*first, *second}) == 1:
        assert np.isnan(kappa(found.agreement, found.expected))
    else:
        assert kappa(found.agreement, found.expected) == pytest.approx(
            cohen_kappa_score(first, second), abs=1e-9
        )


@settings(max_examples=50, deadline=None)
@given(st.lists(st.lists(names, min_size=4, max_size=4), min_size=2, max_size=4))
def test_more_networks_are_the_mean_over_all_their_pairs(held: list[list[str]]) -> None:
    table = by_network(*held)
    same, due = [], []
    for a in table:
        for b in range(a):
            for patient in table[a]:
                x, y = table[a][patient], table[b][patient]
                if "none" in (x, y):
                    continue
                same.append(x == y)
                uses = [[n for n in table[k].values() if n != "none"] for k in (a, b)]
                due.append(
                    sum(uses[0].count(n) * uses[1].count(n) for n in NAMES)
                    / (len(uses[0]) * len(uses[1]))
                )
    found = agreement(table, draws=2)
    assert found.n_pairs == len(same)
    if same:
        assert found.agreement == pytest.approx(np.mean(same))
        assert found.expected == pytest.approx(np.mean(due))


def test_too_few_patients_with_two_networks_are_not_known_rather_than_no() -> None:
    few = ["limb", "both", "precordial", "limb", "both"][: LEAST_PATIENTS - 1]
    apart = agreement({0: {"A": "limb", "B": "both"}, 1: {"C": "limb"}})
    assert (apart.n_pairs, apart.above_chance) == (0, None)
    assert np.isnan(apart.agreement)
    together = agreement(by_network(few, few))
    assert (together.agreement, together.above_chance) == (1.0, None)
    empty = agreement(by_network(["none"] * 30, ["none"] * 30))
    assert (empty.n_pairs, empty.above_chance) == (0, None)


def test_mean_share_has_students_interval_over_networks() -> None:
    shares = np.array([0.2, 0.5, 0.4, np.nan, 0.3])
    found = mean_share(shares)
    held = shares[~np.isnan(shares)]
    expected = stats.t.interval(0.95, 3, held.mean(), stats.sem(held))
    assert found == pytest.approx((0.35, *expected))
    assert mean_share(np.array([0.0, 1.0]))[1:] == (0.0, 1.0)  # no share lies beyond
    assert mean_share(np.array([0.3])) == pytest.approx((0.3, np.nan, np.nan), nan_ok=True)
    assert np.isnan(region_shares([])).all()


def test_published_counts_against_known_shares() -> None:
    # by hand: sum of (observed - expected)^2 / expected with 12 expected in each
    found = published_against({"precordial": 0.3, "limb": 0.3, "both": 0.3, "none": 0.1})
    assert found.chi2 == pytest.approx((1 + 16 + 25) / 12)
    # two degrees of freedom: the tail is exp(-chi2 / 2)
    assert found.p_value == pytest.approx(np.exp(-found.chi2 / 2))
    assert np.isnan(published_against({"precordial": 0.5, "limb": 0.5, "both": 0.0}).p_value)


@given(st.integers(1, 40))
def test_untrained_networks_are_dealt_out_once_each(n_cells: int) -> None:
    dealt = [n for cell in range(n_cells) for n in untrained_numbers(cell, n_cells)]
    assert sorted(dealt) == list(range(UNTRAINED))


@pytest.fixture(scope="module")
def pictures() -> np.ndarray:
    rng = np.random.default_rng(0)
    return np.where(rng.random((12, 64, 64)) < 0.1, 0, 255).astype(np.uint8)


@pytest.fixture(scope="module")
def halves() -> LeadWeights:
    """Limb leads in the left half of 64 x 64 px, chest leads in the right; layer3 has 4 x 4."""
    boxes = []
    for i, lead in enumerate(LEADS):
        x, y = 32.0 * (i // 6), 10.0 * (i % 6)
        boxes.append(LeadBox(lead, x, y, x + 32, y + 10, 0.0, 2.5, 24.0, 10.0, y + 5))
    return lead_weights(boxes, (64, 64), (4, 4))


def test_same_number_same_names_and_two_numbers_differ(
    pictures: np.ndarray, halves: LeadWeights
) -> None:
    def named(number: int) -> tuple[str, ...]:
        model = ResNet18(height=64, width=64)
        return untrained_regions(model, pictures, halves, stage="layer3", cut=0.6, number=number)

    state = torch.random.get_rng_state()
    first = [named(number) for number in range(3)]
    assert torch.equal(state, torch.random.get_rng_state())  # nobody else's numbers change
    torch.manual_seed(5)
    assert first == [named(number) for number in range(3)]
    assert len(set(first)) > 1
    assert all(len(held) == len(pictures) and set(held) <= set(REGIONS) for held in first)


@pytest.mark.parametrize("n", [1, 3])
def test_batch_norms_fit_the_pictures_that_they_are_shown(n: int) -> None:
    network = ResNet18(height=32, width=32).untrained_network()
    x = torch.randn(n, 1, 32, 32, generator=torch.Generator().manual_seed(0))
    fit_statistics(network, x)
    first = dict(network.named_modules())["encoder.bn1"]
    conv = dict(network.named_modules())["encoder.conv1"]
    assert isinstance(first, torch.nn.BatchNorm2d)
    with torch.no_grad():
        drawn = conv(x)
    assert not network.training
    assert first.running_mean is not None
    torch.testing.assert_close(first.running_mean, drawn.mean(dim=(0, 2, 3)), rtol=1e-4, atol=1e-5)
