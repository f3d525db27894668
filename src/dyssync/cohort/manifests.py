"""What stands beside each shard of a corpus that was made of files: what it holds, and of which."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from dyssync.cohort.shards import SHARDS, name_of_shard
from dyssync.cohort.stores import Place, Remote
from dyssync.errors import InputError, ModelError
from dyssync.records import MAX_RECORD_BYTES, Record
from dyssync.whole import make_folder, mark, mark_of, one_maker, sweep, write_text

KIND = "ecg corpus"  # of a folder
ENDING = ".json"  # of a manifest, in place of a shard's own
SCRATCH = ".adding-"  # in the folder, while something is added


@dataclass(frozen=True)
class Manifest(Record):
    """What the files that were read together gave: up to 256, or a shard of another corpus.

    Attributes:
        sha256: of the shard's bytes; "" where there is none, as all was known or unusable.
        bytes: of the shard.
        digests: of its recordings, in their order; see `shard_rows.Row`.
        files: of what was read: digests of place, size and time, by which it is known again.
        duplicates: recordings that were in the corpus already, or twice among the files.
        problems: for each of `files` that gave no recording, why not.
    """

    sha256: str
    bytes: int
    digests: tuple[str, ...]
    files: tuple[str, ...]
    duplicates: int
    problems: Mapping[str, str]


def read_manifests(corpus: Place) -> list[Manifest]:
    """Return the manifests of a corpus in their order; of a new one none.

    Raises:
        InputError: one is damaged or missing.
        StoreError: the store cannot be reached.
    """
    found = sorted(name for name in names_in(corpus) if _is_manifest(name))
    wanted = [_manifest_of(k) for k in range(len(found))]
    if found != wanted:
        gap = next(a for a, b in zip(wanted, found, strict=True) if a != b)
        raise InputError(f"{corpus}: {gap} is missing; make the corpus again")
    return [_read(corpus / name) for name in found]


def read_before(manifests: Iterable[Manifest]) -> dict[str, bool]:
    """Return the stamps of all files that were read, and whether each gave what it should."""
    return {
        file: file not in manifest.problems for manifest in manifests for file in manifest.files
    }


def _read(place: Place) -> Manifest:
    try:
        if isinstance(place, Path):
            return Manifest.load(place)
        with place.opened() as file:
            return Manifest.from_json(file.read(MAX_RECORD_BYTES), place.name)
    except ModelError as error:
        raise InputError(str(error)) from error


def names_in(corpus: Place) -> list[str]:
    """Return the names of the files directly in a folder; of one that is not there none."""
    if isinstance(corpus, Remote):
        return list(corpus.files())
    return [path.name for path in corpus.iterdir()] if corpus.is_dir() else []


def _is_manifest(name: str) -> bool:
    return name.startswith("shard-") and name.endswith(ENDING)


def _manifest_of(number: int) -> str:
    return str(Path(name_of_shard(number)).with_suffix(ENDING))


def publish(corpus: Place, number: int, manifest: Manifest, made: Path) -> None:
    """Put a shard into its place, and then its manifest: without one it does not count.

    Args:
        corpus: the folder.
        number: of the shard.
        manifest: of it.
        made: the shard; where the manifest says that there is none, it is not looked at.
    """
    shard, beside = corpus / name_of_shard(number), corpus / _manifest_of(number)
    if isinstance(corpus, Remote):
        if manifest.sha256:
            (corpus / name_of_shard(number)).put(made)
        text = made.with_suffix(ENDING)
        write_text(text, manifest.to_json())
        (corpus / _manifest_of(number)).put(text)
        return
    assert isinstance(shard, Path)
    assert isinstance(beside, Path)
    if manifest.sha256:
        os.replace(made, shard)  # its writer has waited for the disk
    manifest.save(beside)


@contextmanager
def being_added_to(corpus: Place) -> Iterator[Path]:
    """Yield a folder for what is not finished; what an earlier process left is removed.

    On this disk no other process may add at the same time, and the corpus is marked as ours.

    Raises:
        InputError: something else lies there, another process is adding, or it cannot be written.
    """
    if isinstance(corpus, Remote):
        _check_counted(corpus)
        _remove_uncounted(corpus)
        with TemporaryDirectory(prefix="dyssync-") as scratch:
            yield Path(scratch)
        return
    with one_maker(corpus):
        _check_ours(corpus)
        make_folder(corpus)
        sweep(corpus)
        mark(corpus, KIND, finished=False)
        _remove_uncounted(corpus)
        for left in corpus.glob(f"{SCRATCH}*"):
            shutil.rmtree(left)
        with TemporaryDirectory(prefix=SCRATCH, dir=corpus) as scratch:
            yield Path(scratch)
        mark(corpus, KIND, finished=True)


def _check_ours(corpus: Path) -> None:
    if not os.path.lexists(corpus):
        return
    made = mark_of(corpus) if corpus.is_dir() else None
    if made is not None and made.kind == KIND:
        return
    if made is not None or not corpus.is_dir() or any(corpus.iterdir()):
        raise InputError(
            f"{corpus}: is no corpus that dyssync corpus add made; name a new folder, or one of its"
        )


def _check_counted(corpus: Remote) -> None:
    """Refuse shards that nobody vouches for: a store has no mark that says whose they are."""
    names = names_in(corpus)
    if any(Path(name).match(SHARDS) for name in names) and not any(map(_is_manifest, names)):
        raise InputError(
            f"{corpus}: holds shards without a manifest, which may be another corpus; name a new "
            "folder, or remove what a killed call left there"
        )


def _remove_uncounted(corpus: Place) -> None:
    """Remove shards that a process put there before it was killed, without their manifest.

    Such are numbered after all that count; what is named otherwise is not ours.
    """
    names = set(names_in(corpus))
    counted = sum(map(_is_manifest, names))
    for name in names:
        digits = name.removeprefix("shard-").removesuffix(".parquet")
        if not (digits.isascii() and digits.isdigit() and name == name_of_shard(int(digits))):
            continue
        if int(digits) >= counted and _manifest_of(int(digits)) not in names:
            place = corpus / name
            if isinstance(place, Remote):
                place.remove()
            else:
                with suppress(FileNotFoundError):
                    place.unlink()
