"""Where the work of a verb is done: in processes here, or by Ray, here or on many machines."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, TypeAlias

import typer

from dyssync.errors import ConfigError, check_choice, check_range

LOCAL, RAY = "local", "ray"

Executor: TypeAlias = Annotated[
    str, typer.Option("--executor", help="local (processes here), or ray: docs/ray.md.")
]
Address: TypeAlias = Annotated[
    str | None,
    typer.Option("--address", help="Ray cluster, host:port or auto. Default: started here."),
]
GPUShare: TypeAlias = Annotated[
    float, typer.Option("--gpu-share", help="Ray: of a GPU, for each fit of a network.")
]


@contextmanager
def handing_out(
    executor: str, address: str | None, workers: int | None, *, gpu_share: float = 1.0
) -> Iterator[None]:
    """Let the work of this block be done where it was asked for.

    Args:
        executor: local or ray.
        address: of a Ray cluster; None starts Ray on this machine.
        workers: of the verb; None for all.
        gpu_share: of a GPU, for each fit of a network.

    Raises:
        ConfigError: unknown, without what it needs, or out of range.
    """
    check_choice("executor", executor, (LOCAL, RAY))
    check_range("gpu-share", gpu_share, 0.01, 1.0)
    if executor == LOCAL:
        if address is not None:
            raise ConfigError("--address: is of --executor ray; add that, or leave --address out")
        yield
        return
    from dyssync.workers import using
    from dyssync.workers.on_ray import on_ray

    with on_ray(address, workers, gpu_share) as engine, using(engine):
        yield
