"""Records: what is saved comes back the same, or the file is refused in one line."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from dyssync.errors import ModelError
from dyssync.records import SHOWN, Record

SECRET = "Mrs Example"


@dataclass(frozen=True)
class Part(Record):
    """A record inside of another."""

    seed: int
    share: float | None = None


@dataclass(frozen=True)
class Toy(Record):
    """One field of each kind that records have."""

    name: str
    seconds: float
    pictures: bool
    parts: tuple[Part, ...] = ()
    cutoffs: Mapping[str, float] = field(default_factory=dict)


TOY = Toy("run µ", 10.0, True, (Part(1, 0.1 + 0.2), Part(2)), {"qrs-area": 100.0})


def damaged(**changes: object) -> str:
    """Return TOY as JSON with fields changed; `...` takes one out."""
    fields = {**json.loads(TOY.to_json()), **changes}
    return json.dumps({name: value for name, value in fields.items() if value is not ...})


def test_a_record_comes_back_the_same(tmp_path: Path) -> None:
    TOY.save(tmp_path / "toy.json")
    assert Toy.load(tmp_path / "toy.json") == TOY
    assert [path.name for path in tmp_path.iterdir()] == ["toy.json"]
    assert Toy.from_json(Toy("a", 1.0, False).to_json(), "x") == Toy("a", 1.0, False)


def test_fields_stand_in_their_order() -> None:
    assert list(json.loads(TOY.to_json())) == ["name", "seconds", "pictures", "parts", "cutoffs"]


@pytest.mark.parametrize(
    ("text", "finding"),
    [
        (damaged(name=...), "name: "),
        (damaged(parts=...), "parts: "),
        (damaged(comment=SECRET), "comment: "),
        (damaged(seconds=SECRET), "seconds: "),
        (damaged(pictures=1), "pictures: "),
        (damaged(name=3), "name: "),
        (damaged(parts=[{"seed": SECRET}]), "parts.0.seed: "),
        (damaged(cutoffs={"qrs-area": SECRET}), "cutoffs.qrs-area: "),
        (damaged()[:-9], "JSON"),
        ("[]", "object"),
        ("", "JSON"),
        (b"\xff\xfe\x00", ""),
    ],
    ids=[
        *("missing", "missing, with a default", "unknown", "text for number", "number for flag"),
        *("number for text", "inside a part", "inside a mapping", "cut short", "a list", "empty"),
        "no text",
    ],
)
def test_a_damaged_record_is_one_line_without_what_it_holds(
    tmp_path: Path, text: str | bytes, finding: str
) -> None:
    path = tmp_path / "toy.json"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(ModelError) as caught:
        Toy.load(path)
    message = str(caught.value)
    assert message.startswith("toy.json: damaged or of another version (")
    assert finding in message
    assert message.endswith("; make it anew")
    assert "\n" not in message
    assert SECRET not in message


def test_all_problems_are_told_at_once_and_of_many_the_number() -> None:
    with pytest.raises(ModelError) as caught:
        Toy.from_json("{}", "x")
    assert all(f"{name}: " in str(caught.value) for name in ("name", "seconds", "pictures"))
    extra = {f"field{k}": 1 for k in range(SHOWN + 3)}
    with pytest.raises(ModelError, match="and 3 more"):
        Toy.from_json(damaged(**extra), "x")


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"absent\.json: cannot be read"):
        Toy.load(tmp_path / "absent.json")
