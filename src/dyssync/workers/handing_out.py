"""Work handed out to workers: how many, call by call, or item by item in their order."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sized
from contextlib import AbstractContextManager, ExitStack, contextmanager
from contextvars import ContextVar
from functools import partial
from itertools import islice
from typing import TypeAlias, TypeVar

from dyssync.workers.engine import TRIES, Engine, Hear, Pool, Tell, Ticket, WorkerEnded
from dyssync.workers.processes import Processes

A = TypeVar("A")
R = TypeVar("R")

OnProgress: TypeAlias = Callable[[int, int], None]  # called with how much is done, of how much

AHEAD = 4  # batches a worker that are handed out; bounds memory, keeps every core busy
# Items; below, starting processes takes longer than the work: two pay from 25 files on where pages
# are drawn as PDF or CSV is written, from 135 for PNG, from 230 where files are measured.
FEW = 100
ALONE = 2  # tries of an item by itself: a machine may end in the middle of one that is good

_chosen: ContextVar[Engine] = ContextVar("_chosen")


def chosen_engine() -> Engine:
    """Return what hands out work here: processes of this machine, unless another was chosen."""
    return _chosen.get(Processes())


@contextmanager
def using(engine: Engine) -> Iterator[None]:
    """Let all work of this block be handed out by `engine`."""
    token = _chosen.set(engine)
    try:
        yield
    finally:
        _chosen.reset(token)


def unwatched(done: int, of: int) -> None:
    """Take progress that nobody looks at."""


def all_workers() -> int:
    """Return how many workers can compute at once: cores of this machine, or of a cluster."""
    return chosen_engine().cores()


def workers_for(items: Sized, asked: int | None) -> int:
    """Return how many workers to use: those asked for, else a core each where it pays."""
    return asked or (1 if len(items) < FEW else all_workers())


def pool(
    workers: int, begin: Callable[..., None] | None = None, *given: object, tries: int = TRIES
) -> AbstractContextManager[Pool]:
    """Open a pool of workers with one thread each, which end when this process does.

    After an error nothing new is begun, and processes of this machine are waited for, while Ray
    ends at once what is being done. After an interruption (KeyboardInterrupt), and where nobody
    wants the results any more, both end it at once.

    Args:
        workers: at most.
        begin: called once in each of them, before its first work.
        given: its arguments.
        tries: how often a call is tried whose process the system ends. Where it cannot be told
            which of several calls ended it, all of them have had that try.
    """
    return chosen_engine().pool(workers, begin, given, tries)


def hearing(hear: Hear) -> AbstractContextManager[Tell]:
    """Open a way from workers to this process, for what they say while they work.

    Args:
        hear: called in a thread with what is told: a few short plain values. What it raises comes
            out at the end of the block; until then nobody is heard any more, and nobody waits.

    Returns:
        What workers call; among what `begin` of a pool is given.
    """
    return chosen_engine().hearing(hear)


def each(
    function: Callable[[A], R],
    items: Iterable[A],
    *,
    workers: int = 1,
    together: int = 1,
    begin: Callable[..., None] | None = None,
    given: tuple[object, ...] = (),
) -> Iterator[R]:
    """Yield the result of every item, in the order of the items.

    Args:
        function: picklable where there are several workers, as are items and results.
        items: any number; a generator is drawn from only as results are taken.
        workers: 1 works in this process, unless an engine was chosen that works elsewhere.
        together: items that a worker gets at a time; more than one where an item takes no longer
            than some milliseconds, for handing it over takes a share of one.
        begin: called once in each worker, before its first work.
        given: its arguments.

    Raises:
        InputError: the system ended a worker. What `function` raises comes out as it is.
    """
    if _is_here(workers):
        if begin is not None:
            begin(*given)
        yield from map(function, items)
        return
    with pool(workers, begin, *given) as held:
        for _, ticket in _in_order(held, function, items, AHEAD * workers, together):
            yield from held.result(ticket)


def each_for_itself(
    function: Callable[[A], R],
    items: Iterable[A],
    lost: Callable[[A], R],
    *,
    workers: int = 1,
    together: int = 1,
    apart: bool = False,
    begin: Callable[..., None] | None = None,
    given: tuple[object, ...] = (),
) -> Iterator[R]:
    """Yield as :func:`each` does; an item that ends its process costs no other its result.

    Args:
        function: as in :func:`each`.
        items: as in :func:`each`.
        lost: makes the result of an item whose process the system ended.
        workers: as in :func:`each`; where the work is done in this very process, nothing can be
            done about an item that ends it.
        together: as in :func:`each`.
        apart: whether one worker, too, is another process than this.
        begin: called once in each worker, before its first work.
        given: its arguments.
    """
    if _is_here(workers) and not apart:
        if begin is not None:
            begin(*given)
        yield from map(function, items)
        return
    with ExitStack() as stack:
        held = stack.enter_context(pool(workers, begin, *given, tries=1))
        alone: Pool | None = None
        for batch, ticket in _in_order(held, function, items, AHEAD * workers, together):
            try:
                results = held.result(ticket)
            except WorkerEnded:  # by one of them, or by one of another batch
                alone = alone or stack.enter_context(pool(1, begin, *given, tries=ALONE))
                yield from (_tried(alone, function, item, lost) for item in batch)
            else:
                yield from results


def _is_here(workers: int) -> bool:
    return workers <= 1 and not chosen_engine().elsewhere


def _in_order(
    held: Pool, function: Callable[[A], R], items: Iterable[A], ahead: int, together: int
) -> Iterator[tuple[list[A], Ticket[list[R]]]]:
    """Yield batches of items with their tickets, in order; `ahead` of them are handed out."""
    source = iter(items)
    batches = iter(lambda: list(islice(source, together)), [])
    work = partial(_list_of, function)
    pending: deque[tuple[list[A], Ticket[list[R]]]] = deque()
    while True:
        for batch in islice(batches, ahead - len(pending)):
            pending.append((batch, held.submit(work, batch)))
        if not pending:
            return
        held.wait([pending[0][1]])
        first = pending.popleft()
        # before its results are looked at: the workers go on meanwhile
        for batch in islice(batches, 1):
            pending.append((batch, held.submit(work, batch)))
        yield first


def _tried(alone: Pool, function: Callable[[A], R], item: A, lost: Callable[[A], R]) -> R:
    """Return the result of an item that a worker has for itself."""
    try:
        return alone.result(alone.submit(function, item))
    except WorkerEnded:
        return lost(item)


def _list_of(function: Callable[[A], R], items: list[A]) -> list[R]:
    return [function(item) for item in items]
