"""Files and folders that appear whole or not at all, whatever ends the process meanwhile.

Everything is made beside its place and renamed when it is finished and on the disk. Beside that
stand here who may replace what (:mod:`replacing`), who works on it (:mod:`owner`), and whether what
an earlier process left is still what it was (:mod:`receipts`).
"""

from dyssync.whole.disk import sync_all, synced_later
from dyssync.whole.files import make_folder, whole_file, write_bytes, write_text
from dyssync.whole.folders import partial_folder, resumable_folder, whole_folder
from dyssync.whole.owner import LOCK, one_maker, one_worker
from dyssync.whole.parts import UnwritableError, legible, sweep, unwritable
from dyssync.whole.receipts import is_whole, write_receipt
from dyssync.whole.replacing import MARKER, Mark, check_replaceable, mark, mark_of, strangers

__all__ = [
    "LOCK",
    "MARKER",
    "Mark",
    "UnwritableError",
    "check_replaceable",
    "is_whole",
    "legible",
    "make_folder",
    "mark",
    "mark_of",
    "one_maker",
    "one_worker",
    "partial_folder",
    "resumable_folder",
    "strangers",
    "sweep",
    "sync_all",
    "synced_later",
    "unwritable",
    "whole_file",
    "whole_folder",
    "write_bytes",
    "write_receipt",
    "write_text",
]
