"""Which of several processes this one is: started here, by torchrun, or by SLURM's srun."""

from __future__ import annotations

import socket
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from dyssync.errors import ConfigError

if TYPE_CHECKING:
    from lightning_fabric import Fabric

HERE = "127.0.0.1"


@dataclass(frozen=True)
class Seat:
    """One of several processes that learn together.

    Attributes:
        rank: its number among all, from 0, which writes.
        local_rank: its number on its machine.
        devices: processes of each machine.
        nodes: machines.
        address: of the machine of rank 0.
        port: on which rank 0 listens there.
    """

    rank: int
    local_rank: int
    devices: int
    nodes: int
    address: str
    port: int

    @property
    def world(self) -> int:
        """How many processes there are."""
        return self.devices * self.nodes

    def beside(self, local_rank: int) -> Seat:
        """Return another one of the same machine."""
        return replace(self, rank=self.rank - self.local_rank + local_rank, local_rank=local_rank)


def seat_here(devices: int, nodes: int, env: Mapping[str, str]) -> Seat:
    """Return the seat of the process that a user starts, the first of its machine.

    Args:
        devices: processes of this machine, which it starts itself.
        nodes: machines. Where there are several, NODE_RANK, MASTER_ADDR and MASTER_PORT tell this
            one from the others, and where they meet.
        env: the environment.

    Raises:
        ConfigError: they are missing or no numbers.
    """
    if nodes == 1:
        port = _port(env) if env.get("MASTER_PORT") else _free_port()
        return Seat(0, 0, devices, 1, HERE, port)
    missing = [name for name in ("NODE_RANK", "MASTER_ADDR", "MASTER_PORT") if not env.get(name)]
    if missing:
        raise ConfigError(
            f"{nodes} nodes: {', '.join(missing)} not set; each machine needs NODE_RANK from 0 to "
            f"{nodes - 1}, and address and port of the first, or start it by torchrun or srun"
        )
    node = _number(env, "NODE_RANK")
    if not 0 <= node < nodes:
        raise ConfigError(f"NODE_RANK is {node}; 0 to {nodes - 1} is needed")
    port = _port(env)
    return Seat(node * devices, 0, devices, nodes, env["MASTER_ADDR"], port)


def seat_given(devices: int, nodes: int, env: Mapping[str, str]) -> Seat | None:
    """Return the seat that torchrun or srun gave this process; None where neither started it.

    Args:
        devices: processes of each machine, 1 with one node for as many as there are.
        nodes: machines.
        env: the environment.

    Raises:
        ConfigError: there are other processes than were asked for, or what tells of them is missing
            or no number.
    """
    if "TORCHELASTIC_RUN_ID" in env:
        names: tuple[str, ...] = ("WORLD_SIZE", "LOCAL_WORLD_SIZE", "RANK", "LOCAL_RANK")
        world, local, rank, local_rank = (_number(env, name) for name in names)
        address, port = _text(env, "MASTER_ADDR"), _port(env)
    elif "SLURM_STEP_ID" in env and _number(env, "SLURM_NTASKS") > 1:
        from lightning_fabric.plugins.environments.slurm import SLURMEnvironment

        names = ("SLURM_NTASKS", "SLURM_NNODES", "SLURM_PROCID", "SLURM_LOCALID", "SLURM_JOB_ID")
        world, machines, rank, local_rank, job = (_number(env, name) for name in names)
        local = world // machines
        listed = _text(env, "SLURM_STEP_NODELIST")
        first = SLURMEnvironment.resolve_root_node_address(listed)
        address = env.get("MASTER_ADDR") or first
        # one a job, among those that any user may take
        port = _port(env) if env.get("MASTER_PORT") else 15_000 + job % 1000
    else:
        return None
    machines = world // local
    if (devices, nodes) not in ((1, 1), (local, machines)):
        raise ConfigError(
            f"{devices} devices on {nodes} nodes: {local} on {machines} were started; say "
            "the same, or nothing"
        )
    return Seat(rank, local_rank, local, machines, address, port)


def _number(env: Mapping[str, str], name: str) -> int:
    try:
        return int(env[name])
    except (KeyError, ValueError) as error:
        raise ConfigError(f"{name} is {env.get(name)!r}; a whole number is needed") from error


def _text(env: Mapping[str, str], name: str) -> str:
    if not env.get(name):
        raise ConfigError(f"{name} is not set; it is needed beside what started this process")
    return env[name]


def _port(env: Mapping[str, str]) -> int:
    port = _number(env, "MASTER_PORT")
    if not 0 < port < 1 << 16:
        raise ConfigError(f"MASTER_PORT is {port}; 1 to 65535 is needed")
    return port


def _free_port() -> int:
    with socket.socket() as door:
        door.bind((HERE, 0))
        return int(door.getsockname()[1])


def join_others(seat: Seat, precision: str, meet_within: float) -> Fabric:
    """Return the device of one process, in contact with the others: nccl for GPUs, else gloo.

    Args:
        seat: which process this is.
        precision: as in `learning.training.make_fabric`.
        meet_within: s, by when all must be in contact.

    Raises:
        ConfigError: there are less GPUs than processes.
        RuntimeError: the others cannot be reached in time.
    """
    import logging
    from datetime import timedelta

    import torch
    import torch.distributed as dist
    from lightning_fabric import Fabric
    from lightning_fabric.strategies.ddp import DDPStrategy

    from dyssync.learning.training import precision_here

    logging.getLogger("lightning_fabric").setLevel(logging.WARNING)
    gpus = torch.cuda.device_count()
    if 0 < gpus < seat.devices:
        raise ConfigError(f"{seat.devices} devices: there are {gpus} GPUs here; start as many")
    chosen = precision_here() if precision == "auto" else precision
    fabric = Fabric(
        accelerator="auto",
        devices=seat.devices,
        num_nodes=seat.nodes,
        strategy=DDPStrategy(timeout=timedelta(seconds=meet_within)),
        precision=chosen,  # type: ignore[arg-type]
        plugins=[_environment(seat)],
    )
    fabric.launch()
    # whoever has met may take longer over a step, as long as torch lets it
    dist.distributed_c10d._set_pg_timeout(dist.constants.default_pg_timeout)
    return fabric


def _environment(seat: Seat) -> Any:
    """Return what Fabric asks where it is."""
    from lightning_fabric.plugins.environments.lightning import LightningEnvironment

    class _Seated(LightningEnvironment):
        """A process whose place is known and whose others run already."""

        creates_processes_externally = True
        main_address, main_port = seat.address, seat.port

        def world_size(self) -> int:
            return seat.world

        def global_rank(self) -> int:
            return seat.rank

        def local_rank(self) -> int:
            return seat.local_rank

        def node_rank(self) -> int:
            return seat.rank // seat.devices

    return _Seated()
