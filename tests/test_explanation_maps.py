"""Grad-CAM maps on disk: what comes back, what is refused."""

import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from dyssync.errors import ModelError
from dyssync.explanation.maps import CamMaps
from dyssync.study.results import StudyResults


@pytest.fixture
def maps(golden_run: StudyResults) -> CamMaps:
    return golden_run.maps["resnet18"]


def assert_equal(one: CamMaps, other: CamMaps) -> None:
    np.testing.assert_array_equal(one.maps, other.maps)
    np.testing.assert_array_equal(one.pictures, other.pictures)
    assert one.boxes == other.boxes


def test_maps_survive_writing_and_reading(maps: CamMaps, tmp_path: Path) -> None:
    maps.save(tmp_path / "m.npz")
    assert [path.name for path in tmp_path.iterdir()] == ["m.npz"]
    assert_equal(CamMaps.load(tmp_path / "m.npz"), maps)


def test_maps_without_boxes_survive_too(maps: CamMaps, tmp_path: Path) -> None:
    replace(maps, boxes=()).save(tmp_path / "m.npz")
    assert CamMaps.load(tmp_path / "m.npz").boxes == ()


def test_joined_maps_are_those_of_the_parts_in_their_order(maps: CamMaps) -> None:
    parts = [replace(maps, maps=maps.maps[k:n], pictures=maps.pictures[k:n])
             for k, n in ((0, 3), (3, len(maps.maps)))]  # fmt: skip
    assert_equal(CamMaps.joined(parts), maps)
    moved = replace(maps, boxes=maps.boxes[::-1])
    with pytest.raises(ModelError, match="cannot be joined"):
        CamMaps.joined([maps, moved])


@pytest.mark.parametrize("left", [0, 100, 10_000])
def test_a_file_that_was_cut_short_is_one_clear_error(
    maps: CamMaps, tmp_path: Path, left: int
) -> None:
    path = tmp_path / "m.npz"
    maps.save(path)
    path.write_bytes(path.read_bytes()[:left])
    with pytest.raises(ModelError, match=r"^m\.npz: damaged .*; make it anew$"):
        CamMaps.load(path)


def test_any_changed_byte_is_refused_or_harmless(maps: CamMaps, tmp_path: Path) -> None:
    path = tmp_path / "m.npz"
    maps.save(path)
    whole, rng = path.read_bytes(), np.random.default_rng(0)
    for _ in range(200):
        data = bytearray(whole)
        data[rng.integers(len(data))] ^= 1 << rng.integers(8)
        path.write_bytes(bytes(data))
        try:
            found = CamMaps.load(path)
        except ModelError:
            continue
        assert_equal(found, maps)


@pytest.mark.parametrize(
    ("member", "value", "finding"),
    [
        ("maps", np.zeros((22, 2, 2)), "maps are no"),
        ("pictures", np.zeros((22, 64), np.uint8), "pictures are no"),
        ("pictures", np.zeros((3, 64, 64), np.uint8), "of 3 pictures"),
        ("boxes", np.zeros((2, 4)), "boxes do not fit"),
        ("leads", np.array(["V9"] * 13), "boxes of V9"),
        ("leads", np.array([None] * 13), "no whole NPZ"),  # would have to be unpickled
    ],
)
def test_arrays_that_do_not_fit_are_named(
    maps: CamMaps, tmp_path: Path, member: str, value: np.ndarray, finding: str
) -> None:
    path = tmp_path / "m.npz"
    maps.save(path)
    with np.load(path) as file:
        arrays = {name: file[name] for name in file.files}
    assert len(arrays["leads"]) == 13
    np.savez(path, allow_pickle=True, **{**arrays, member: value})
    with pytest.raises(ModelError, match=finding):
        CamMaps.load(path)


def test_a_file_that_is_missing_or_no_npz_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"m\.npz: cannot be read \(No such file"):
        CamMaps.load(tmp_path / "m.npz")
    np.save(tmp_path / "a.npy", np.zeros(3))
    with pytest.raises(ModelError, match="no whole NPZ"):
        CamMaps.load(tmp_path / "a.npy")
    with zipfile.ZipFile(tmp_path / "empty.npz", "w"):
        pass
    with pytest.raises(ModelError, match="no whole NPZ"):
        CamMaps.load(tmp_path / "empty.npz")
