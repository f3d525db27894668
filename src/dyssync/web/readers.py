"""The reading processes of a server: a few, each replaced when a file has ended it."""

from __future__ import annotations

import queue
import struct
from collections.abc import Mapping
from dataclasses import dataclass

from dyssync.errors import FormatError, InputError
from dyssync.formats.reading.isolation import Apart
from dyssync.image import Input
from dyssync.web.refusals import Refused, without_content
from dyssync.web.wire import Asked, packed, unpack_read

MODULE = "dyssync.web.reader"
WALL_LIMIT_S = 20.0  # for one upload
WAIT_S = 20.0  # for a free process
REFUSALS = (400, 412, 413, 415, 422)  # statuses that a reading process may give
NONSENSE = "what was read of the file is no ECG; it may be damaged on purpose"
GONE = "the process that reads uploads was ended twice; send the file again"


@dataclass(frozen=True)
class Upload:
    """What a client sent.

    Attributes:
        files: by name, without folders.
        fs, unit, page: what it says of them, as in :class:`dyssync.formats.ReadOptions`.
        hook: whether the one file is a call of CDS Hooks, which holds the files.
    """

    files: Mapping[str, bytes]
    fs: float | None = None
    unit: str | None = None
    page: int = 1
    hook: bool = False


class Readers:
    """Reads uploads apart, `count` at a time; threads wait for a free process."""

    def __init__(self, count: int, wall_limit_s: float = WALL_LIMIT_S) -> None:
        self._all = [Apart(MODULE, wall_limit_s) for _ in range(count)]
        self._free: queue.SimpleQueue[Apart] = queue.SimpleQueue()
        for one in self._all:
            one.start()
            self._free.put(one)

    def read(self, upload: Upload) -> Input:
        """Return the recording or picture in an upload.

        Raises:
            Refused: 413, 415 or 422 as the file is, 400 or 412 as a call is; 503 where all
                processes are busy or ended.
        """
        names, parts = tuple(upload.files), list(upload.files.values())
        sizes = tuple(len(part) for part in parts)
        asked = Asked(names, sizes, upload.fs, upload.unit, upload.page, upload.hook)
        try:
            one = self._free.get(timeout=WAIT_S)
        except queue.Empty as error:
            raise Refused(503, "all reading processes are busy; try again in a minute") from error
        try:
            answer = one.convert(packed(asked, parts))
        except FormatError as error:  # it took too long, or too much, or crashed
            raise Refused(422, without_content(str(error))) from error
        except (EOFError, OSError) as error:
            raise Refused(503, GONE) from error
        finally:
            self._free.put(one)
        return _read(answer)

    def end(self) -> None:
        """End the processes."""
        for one in self._all:
            one.end()


def _read(answer: bytes) -> Input:
    try:
        read, found = unpack_read(answer, "upload")
    except InputError as error:
        raise Refused(422, without_content(str(error))) from error
    except (ValueError, IndexError, struct.error) as error:  # who took it over writes anything
        raise Refused(422, NONSENSE) from error
    if found is not None:
        return found
    raise Refused(read.status, read.text) if read.status in REFUSALS else Refused(422, NONSENSE)
