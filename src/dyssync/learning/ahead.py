"""Networks that look at one recording beside each other, while something else is measured.

A prediction asks the networks of ten members one after the other; each looks with one thread, so
that no number depends on how many cores there are. Asked ahead, they look on all cores, and each
member finds what its network saw. Only whoever predicts asks ahead: workers of a study have one
core each.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass

from dyssync.image import Input
from dyssync.keeping import keeping, kept
from dyssync.learning.network_input import asked_pictures, stack
from dyssync.learning.picture_config import PictureConfig
from dyssync.learning.seen import Seen
from dyssync.learning.stored import StoredNetwork
from dyssync.workers import available_cores


@dataclass(frozen=True)
class Look:
    """How recordings are looked at.

    Attributes:
        network: through which.
        pictures: as what.
        views: pictures a recording, from different moments.
    """

    network: StoredNetwork
    pictures: PictureConfig
    views: int


@kept(most=1)
def _asked() -> dict[tuple[Look, Input], Future[Seen]]:
    """Return what is filled with the looks that were asked for ahead."""
    return {}


@contextmanager
def looking_ahead(x: Input, *, once: bool = False) -> Iterator[Callable[[Iterable[Look]], None]]:
    """Yield what lets networks look at a recording, on all cores, while the block runs.

    What they see is found by :func:`seen_ahead`, until whoever keeps results lets go of them.

    Args:
        x: the recording or picture of one.
        once: close each network after its look.
    """
    with keeping():
        asked, begun = _asked(), set[Look]()
        threads = ThreadPoolExecutor(available_cores())

        def begin(looks: Iterable[Look]) -> None:
            for look in looks:
                if look in begun:
                    continue
                begun.add(look)
                # drawn here: threads do not share what is kept
                pictures = stack(asked_pictures(x, look.pictures, look.views))
                asked[look, x] = threads.submit(look.network.look, pictures, once=once)

        try:
            yield begin
        finally:
            threads.shutdown(cancel_futures=True)


def seen_ahead(look: Look, x: Input) -> Seen | None:
    """Return what a network saw of a recording; None where nobody asked for it ahead.

    Raises:
        ModelError: the file is no network of ours.
    """
    found = _asked().get((look, x))
    return None if found is None else found.result()
