"""Folders that are not on this disk: S3-like and other stores, as pyarrow reaches them.

`s3://bucket/corpus`, `gs://...` and `abfs://...` are pyarrow's own; `fsspec+ftp://host/corpus` and
the like go through fsspec, for whatever protocol is installed. Keys are never part of a name: they
come from where the store's own tools look for them, such as AWS_ACCESS_KEY_ID.
"""

from __future__ import annotations

import io
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import IO, Any, TypeAlias

from dyssync.errors import ConfigError, InputError

MARK = "://"


class StoreError(InputError):
    """A store cannot be reached, or does not do what was asked."""


@dataclass(frozen=True)
class Remote:
    """A folder, or a file, in a store; nothing is opened before it is asked for.

    Attributes:
        uri: such as ``s3://bucket/corpus?endpoint_override=localhost:9000&scheme=http``.
    """

    uri: str

    @property
    def name(self) -> str:
        """The last step of the path, without host and options."""
        return self.uri.partition("?")[0].rstrip("/").rpartition("/")[2]

    def __truediv__(self, name: str) -> Remote:
        path, separator, options = self.uri.partition("?")
        return Remote(f"{path.rstrip('/')}/{name}{separator}{options}")

    def __str__(self) -> str:
        return self.uri.partition("?")[0]

    def files(self) -> dict[str, str]:
        """Return the names of the files directly in this folder, sorted, each with size and time.

        A folder that is not there has none.

        Raises:
            StoreError: the store cannot be reached.
        """
        import pyarrow.fs

        with self.naming_failure():
            store, path = _opened(self.uri)
            asked = pyarrow.fs.FileSelector(path, allow_not_found=True)
            found = store.get_file_info(asked)
        kept = [info for info in found if info.type == pyarrow.fs.FileType.File]
        return {
            info.base_name: f"{info.size} {info.mtime_ns}"
            for info in sorted(kept, key=lambda info: str(info.base_name))
        }

    @contextmanager
    def opened(self) -> Iterator[IO[bytes]]:
        """Yield the file for reading, parts of it at a time.

        Raises:
            StoreError: it is not there, or the store cannot be reached; in the block, too.
        """
        with self.naming_failure():
            store, path = _opened(self.uri)
            file = store.open_input_file(path)
        with file:
            yield io.BufferedReader(_Reading(file, self), 1 << 20)

    def put(self, made: Path) -> None:
        """Write a file of this disk there; stores let it appear whole or not at all.

        Raises:
            StoreError: it cannot be written.
        """
        with self.naming_failure():
            store, path = _opened(self.uri)
            store.create_dir(path.rpartition("/")[0], recursive=True)
            with made.open("rb") as source, store.open_output_stream(path) as target:
                shutil.copyfileobj(source, target, 1 << 20)

    def remove(self) -> None:
        """Remove the file.

        Raises:
            StoreError: it cannot be removed.
        """
        with self.naming_failure():
            store, path = _opened(self.uri)
            store.delete_file(path)

    @contextmanager
    def naming_failure(self) -> Iterator[None]:
        """Turn what the store's tools raise in this block into a StoreError."""
        import pyarrow

        try:
            yield
        except (OSError, ValueError, ImportError, pyarrow.ArrowException) as error:
            told = " ".join(str(error).split())[:300]
            raise StoreError(f"{self}: {told or type(error).__name__}") from error


class _Reading(io.RawIOBase):
    """A file in a store whose failures are the store's, and no damage of what it holds."""

    def __init__(self, file: Any, place: Remote) -> None:
        super().__init__()
        self.file = file
        self.place = place

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def readinto(self, into: Any) -> int:
        with self.place.naming_failure():
            found = self.file.read(len(into))
        into[: len(found)] = found
        return len(found)

    def seek(self, offset: int, whence: int = 0) -> int:
        with self.place.naming_failure():
            return int(self.file.seek(offset, whence))

    def tell(self) -> int:
        return int(self.file.tell())


Place: TypeAlias = Path | Remote


def place_of(text: str) -> Place:
    """Return what a user names: a path of this disk, or an address in a store.

    >>> place_of("s3://bucket/corpus?region=eu").name, place_of("ecgs").name
    ('corpus', 'ecgs')

    Raises:
        ConfigError: the address holds a key, which other users of the machine could read.
    """
    if MARK not in text:
        return Path(text)
    scheme, _, rest = text.partition(MARK)
    host, at, _ = rest.partition("/")[0].rpartition("@")
    if at and ":" in host:
        raise ConfigError(
            f"{scheme}{MARK}...: a key stands in the address; put it where the store's own tools "
            "look for it, such as AWS_SECRET_ACCESS_KEY"
        )
    return Remote(text)


@cache
def _opened(uri: str) -> tuple[Any, str]:
    from pyarrow.fs import FileSystem

    store, path = FileSystem.from_uri(uri)
    return store, str(path)
