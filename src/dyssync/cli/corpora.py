"""`dyssync corpus add`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from dyssync.cli.batch import Failure, Workers, report_failures
from dyssync.cli.executors import LOCAL, Address, Executor, handing_out
from dyssync.cli.paths import gather
from dyssync.cli.progress import reading_bar
from dyssync.cli.terminal import say
from dyssync.errors import ConfigError, counted

if TYPE_CHECKING:
    from dyssync.cohort.gathering import Sources


def add(
    sources: Annotated[
        list[str],
        typer.Argument(
            metavar="SOURCE...",
            help="ECG files, folders, patterns; tables with a column ecg; folders of shards.",
        ),
    ],
    out: Annotated[
        str, typer.Option("--out", "-o", help="The corpus: a folder, or s3://bucket/folder.")
    ],
    workers: Workers = None,
    executor: Executor = LOCAL,
    address: Address = None,
) -> int:
    """Add ECGs to a corpus of Parquet shards, each recording once; made where it is missing.

    Example: dyssync corpus add archive/ --out CORPUS

    then: dyssync pretrain CORPUS --out ENCODER

    What was added before is not read again. Interrupted at any moment, the same command goes on.

    Exit code 0: all are in the corpus; 3: some files failed (listed, the others are in it);
    2: none.
    """
    from dyssync.cohort.adding import add_to_corpus
    from dyssync.cohort.stores import Remote, place_of
    from dyssync.workers import all_workers

    corpus = place_of(out)
    if isinstance(corpus, Remote) and address is not None:
        raise ConfigError(
            f"--address: machines would write what goes to {corpus.name} into temporary folders of "
            "their own; give a folder that all of them see, or leave --address out"
        )
    asked = _sorted_out(sources)
    with handing_out(executor, address, workers), reading_bar("adding") as bar:
        row = bar.add_task("adding", total=None)
        added = add_to_corpus(
            corpus,
            asked,
            workers=workers or all_workers(),
            apart=True,
            on_progress=lambda done, of: bar.update(row, completed=done, total=of),
        )
    say(
        f"{out}: {counted(added.total, 'ECG')}, {added.recordings} of them new; "
        f"{added.duplicates} there already, {counted(added.known, 'file')} not read again"
    )
    failed = [Failure(line, line) for line in added.problems]
    return report_failures(added.total, failed, "in the corpus")


def _sorted_out(texts: Sequence[str]) -> Sources:
    """Tell files, tables and shards apart."""
    from dyssync.cohort.gathering import Sources, kind_of
    from dyssync.cohort.stores import Remote, place_of

    kinds = {text: kind_of(place_of(text)) for text in texts}
    places = {text: place_of(text) for text in texts}
    tables = [p for t, p in places.items() if kinds[t] == "tables" and not isinstance(p, Remote)]
    shards = [p for t, p in places.items() if kinds[t] == "shards"]
    files = [text for text in texts if kinds[text] == "files"]
    return Sources(gather(files), tables, shards)
