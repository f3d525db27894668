"""A network read back from its file (:mod:`~dyssync.learning.network_file`), to look with.

Predicting needs ONNX Runtime alone, which is there in a tenth of a second; torch takes two.
"""

from __future__ import annotations

import hashlib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING
from weakref import WeakValueDictionary

from dyssync.arrays import Singles
from dyssync.errors import ModelError
from dyssync.learning.network_file import MAPS, PICTURES, SEEN
from dyssync.learning.seen import Head, Seen
from dyssync.workers import available_cores

if TYPE_CHECKING:
    import onnxruntime


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
    def _session(self) -> onnxruntime.InferenceSession:
        return _opened(self.data)

    def look(self, pictures: Singles) -> Seen:
        """Return what it sees in pictures, (k, 1, H, W) float32.

        Raises:
            ModelError: the file is no network of ours.
        """
        names = [output.name for output in self._session.get_outputs()]
        if names[:2] != [MAPS, SEEN]:
            raise ModelError("the network is another one than this version writes")
        maps, features, *head = self._session.run(None, {PICTURES: pictures})
        return Seen(features, maps, Head(head[0][:, 0], head[1][0]) if head else None)


_alive: WeakValueDictionary[str, StoredNetwork] = WeakValueDictionary()


def stored_network(data: bytes, digest: str | None = None) -> StoredNetwork:
    """Return the network of a file: one object for all who have it, while any does.

    Args:
        data: the ONNX file.
        digest: its sha256, where it is known.
    """
    digest = digest or hashlib.sha256(data).hexdigest()
    return _alive.setdefault(digest, StoredNetwork(digest, data))


def open_networks() -> None:
    """Open all networks that were read and not looked with yet, on all cores.

    Opening one takes longer than looking with it once; each still looks with one thread.
    """
    waiting = [network for network in _alive.values() if "_session" not in vars(network)]
    if len(waiting) > 1:
        with ThreadPoolExecutor(min(available_cores(), len(waiting))) as threads:
            opened = threads.map(_opened, [network.data for network in waiting])
            for network, session in zip(waiting, opened, strict=True):
                vars(network)["_session"] = session  # where the property keeps it


def _opened(data: bytes) -> onnxruntime.InferenceSession:
    import onnxruntime
    from onnxruntime.capi.onnxruntime_pybind11_state import (
        Fail,
        InvalidArgument,
        InvalidGraph,
        InvalidProtobuf,
        NotImplemented,
    )

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1  # see dyssync.workers
    options.enable_cpu_mem_arena = False  # which would keep what it saw of a patient
    options.log_severity_level = 3  # errors; they are raised as well
    try:
        return onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])
    except (Fail, InvalidArgument, InvalidGraph, InvalidProtobuf, NotImplemented) as error:
        raise ModelError("the network is damaged; copy the bundle again") from error
