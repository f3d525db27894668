"""Workers: how many there are, one kind of pool, one shape of progress; here, or elsewhere by Ray.

Each worker computes with one thread. The numerical libraries would start as many threads in every
process as there are cores, and two workers would then be slower than one (`measure`: 28 ms a file
instead of 10); and with one thread no number depends on how many processes there are.
"""

from dyssync.workers.engine import ENDED, TRIES, Engine, Pool, Tell, Ticket, WorkerEnded
from dyssync.workers.handing_out import (
    AHEAD,
    FEW,
    OnProgress,
    all_workers,
    chosen_engine,
    each,
    each_for_itself,
    hearing,
    pool,
    unwatched,
    using,
    workers_for,
)
from dyssync.workers.threads import THREAD_SETTINGS, available_cores, use_one_thread

__all__ = [
    "AHEAD",
    "ENDED",
    "FEW",
    "THREAD_SETTINGS",
    "TRIES",
    "Engine",
    "OnProgress",
    "Pool",
    "Tell",
    "Ticket",
    "WorkerEnded",
    "all_workers",
    "available_cores",
    "chosen_engine",
    "each",
    "each_for_itself",
    "hearing",
    "pool",
    "unwatched",
    "use_one_thread",
    "using",
    "workers_for",
]
