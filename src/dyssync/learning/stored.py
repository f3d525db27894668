"""A network read back from its file (:mod:`~dyssync.learning.network_file`), to look with.

Predicting needs ONNX Runtime alone, which is there in a tenth of a second; torch takes two.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from weakref import WeakValueDictionary

from dyssync.arrays import Singles
from dyssync.inference import Session, open_network
from dyssync.learning.network_file import PICTURES, damaged, has_head
from dyssync.learning.seen import Head, Seen
from dyssync.workers import available_cores


@dataclass(frozen=True)
class StoredNetwork:
    """A network that was read back, to look at pictures with.

    Attributes:
        digest: sha256 of the file, by which networks are told apart.
        data: the ONNX file.
    """

    digest: str
    data: bytes = field(compare=False, repr=False)

    @cached_property
    def _has_head(self) -> bool:
        return has_head(self.data)

    def check(self, *, head: bool) -> None:
        """Refuse a file that is no network of ours.

        Args:
            head: whether it must have one.

        Raises:
            ModelError: it is none, or has no head.
        """
        if self._has_head < head:
            raise damaged()

    @cached_property
    def _session(self) -> Session:
        return _opened(self)

    def look(self, pictures: Singles, *, once: bool = False) -> Seen:
        """Return what it sees in pictures.

        Args:
            pictures: (k, 1, H, W) float32.
            once: close it after the look, if it was not open: the next one is opened in the same
                memory, which takes a third less time than in new memory.

        Raises:
            ModelError: the file is no network of ours.
        """
        closing = once and "_session" not in vars(self)
        session = _opened(self) if closing else self._session
        maps, features, *head = session.run(None, {PICTURES: pictures})
        return Seen(features, maps, Head(head[0][:, 0], head[1][0]) if head else None)


_alive: WeakValueDictionary[str, StoredNetwork] = WeakValueDictionary()


def stored_network(data: bytes, digest: str | None = None) -> StoredNetwork:
    """Return the network of a file: one object for all who have it, while any does.

    Args:
        data: the ONNX file.
        digest: its sha256, where somebody has checked it already.

    Raises:
        ModelError: another file has that digest.
    """
    digest = digest or hashlib.sha256(data).hexdigest()
    found = _alive.setdefault(digest, StoredNetwork(digest, data))
    if found.data != data:
        raise damaged()
    return found


def restored_network(data: bytes, digest: str | None, *, head: bool) -> StoredNetwork:
    """Return the network of a file that anybody may have written.

    Args:
        data: the ONNX file.
        digest: as in :func:`stored_network`.
        head: whether it must have one.

    Raises:
        ModelError: it is no network of ours.
    """
    network = stored_network(data, digest)
    network.check(head=head)
    return network


@contextmanager
def opening_networks() -> Iterator[Callable[[], None]]:
    """Yield what starts to open the networks that were restored and not looked with yet.

    They are opened on all cores beside whatever the block does, and are open when it has ended.
    Opening one takes longer than looking with it once; each still looks with one thread.
    """
    with ThreadPoolExecutor(available_cores()) as threads:
        opening: dict[StoredNetwork, Future[Session]] = {}

        def begin() -> None:
            for network in list(_alive.values()):
                held = vars(network)
                if "_has_head" in held and "_session" not in held and network not in opening:
                    opening[network] = threads.submit(_opened, network)

        yield begin
    for network, session in opening.items():
        vars(network)["_session"] = session.result()  # where the property keeps it


def _opened(network: StoredNetwork) -> Session:
    network.check(head=False)  # nothing else ever reaches the runtime
    return open_network(network.data)
