"""Records: frozen dataclasses that stand on disk as JSON, strictly typed on the way back."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, fields, is_dataclass
from functools import cache
from pathlib import Path
from typing import Any, ClassVar, Self

from dyssync.errors import InputError, ModelError
from dyssync.regular import read_regular
from dyssync.whole import write_text

SHOWN = 5  # problems in a message
SHOWN_PLACE = 100  # characters of where one is: keys of a file may be of any length
MAX_RECORD_BYTES = 64_000_000


class Record:
    """Base of a frozen dataclass of plain values, mappings, sequences and other records."""

    __pydantic_config__: ClassVar[Mapping[str, Any]] = {"extra": "forbid"}

    def to_json(self) -> str:
        """Return the record as JSON text, its fields in their order."""
        return json.dumps(asdict(self), indent=1) + "\n"  # type: ignore[call-overload]

    @classmethod
    def from_json(cls, text: str | bytes, subject: str) -> Self:
        """Return the record that :meth:`to_json` wrote.

        Args:
            text: JSON.
            subject: what is read, for the message.

        Raises:
            ModelError: fields are missing, unknown or of another type; all in one line, without
                what they hold.
        """
        from pydantic import ValidationError

        try:
            record: Self = _adapter(cls).validate_json(text, strict=True)  # type: ignore[arg-type]
        except ValidationError as error:
            found = {_wording(e["loc"], e["msg"]) for e in error.errors()}
            raise ModelError(_damaged(subject, found)) from error
        # a default stands for what a caller leaves out, never for what a file has lost
        lost = {_wording(place, "Field required") for place in _lost(json.loads(text), record, ())}
        if lost:
            raise ModelError(_damaged(subject, lost))
        return record

    def save(self, path: Path) -> None:
        """Write the record; the file appears whole or not at all."""
        write_text(path, self.to_json())

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read what :meth:`save` wrote.

        Raises:
            ModelError: the file is missing or damaged.
        """
        try:
            data = read_regular(path, MAX_RECORD_BYTES)
        except InputError as error:
            raise ModelError(f"{path.name}: {error}") from error
        except OSError as error:
            raise ModelError(f"{path.name}: cannot be read ({error.strerror})") from error
        return cls.from_json(data, path.name)


def _damaged(subject: str, found: set[str]) -> str:
    shown = "; ".join(sorted(found)[:SHOWN])
    more = f"; and {len(found) - SHOWN} more" if len(found) > SHOWN else ""
    return f"{subject}: damaged or of another version ({shown}{more}); make it anew"


def _lost(given: Any, whole: Any, place: tuple[int | str, ...]) -> Iterator[tuple[int | str, ...]]:
    """Yield the fields of `whole`, a record or what holds records, that `given` lacks."""
    if is_dataclass(whole):
        for entry in fields(whole):
            if entry.name not in given:
                yield (*place, entry.name)
            else:
                yield from _lost(
                    given[entry.name], getattr(whole, entry.name), (*place, entry.name)
                )
    elif isinstance(whole, Mapping):
        for key, value in whole.items():
            yield from _lost(given[str(key)], value, (*place, str(key)))
    elif isinstance(whole, (list, tuple)) and whole and not isinstance(whole[0], (str, float, int)):
        for k, (one, value) in enumerate(zip(given, whole, strict=True)):
            yield from _lost(one, value, (*place, k))


def _wording(place: tuple[int | str, ...], message: str) -> str:
    where = ".".join(str(part) for part in place)[:SHOWN_PLACE]
    return f"{where}: {message}" if where else message


@cache
def _adapter(kind: type[Any]) -> Any:
    from pydantic import TypeAdapter

    return TypeAdapter(kind)
