"""Contact with the other processes of a pretraining, or one line where there is none."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from dyssync.errors import InputError
from dyssync.learning.seats import Seat, join_others

if TYPE_CHECKING:
    from lightning_fabric import Fabric

LOST = "another process of this pretraining ended, or cannot be reached; start again to go on"


class LostError(InputError):
    """The others cannot be reached."""


@contextmanager
def connected(seat: Seat, precision: str, meet_within: float) -> Iterator[Fabric]:
    """Yield the device of a process; let the others notice when the block ends.

    Args:
        seat: which process this is.
        precision: as in `learning.training.make_fabric`.
        meet_within: s, by when all must be in contact.

    Raises:
        LostError: they are not; or they lost contact later.
    """
    import torch.distributed as dist

    met = False
    before = {name: os.environ.get(name) for name in ("MASTER_ADDR", "MASTER_PORT")}
    try:
        fabric = join_others(seat, precision, meet_within)
        met = True
        yield fabric
    except RuntimeError as error:
        # gloo's errors are of no kind of their own
        if isinstance(error, dist.DistError) or "gloo" in str(error).lower():
            raise LostError(LOST if met else _not_met(seat, meet_within)) from error
        raise
    finally:
        if dist.is_initialized():
            dist.destroy_process_group()
        for name, value in before.items():
            os.environ.pop(name, None)
            if value is not None:
                os.environ[name] = value


def _not_met(seat: Seat, meet_within: float) -> str:
    return (
        f"{seat.world} processes were to learn together, and did not all meet within "
        f"{meet_within:g} s at {seat.address}, port {seat.port}: one has ended, or cannot be "
        "reached. Where machines start later, give them longer (--meet-within)"
    )
