"""Processes that learn together: the numbers of one, whoever began, and nobody left behind."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import torch
from lightning_fabric import Fabric

from dyssync.cli import main
from dyssync.ecg import ECG
from dyssync.errors import ConfigError, InputError
from dyssync.learning import checkpoint
from dyssync.learning.seats import Seat, seat_given, seat_here
from dyssync.learning.together import share_batch_norm, shares_of
from dyssync.learning.training import UNWATCHED, Watch, batches
from dyssync.pretraining.contact import connected
from dyssync.pretraining.encoder import Encoder, load_encoder
from dyssync.pretraining.ranks import Ranks, together

Toy = tuple[list[ECG], np.ndarray]

# Followers import this from a file: pytest gives test modules names that they cannot import.
WORK = """
import os, signal, sys, time
import numpy as np
from dyssync.pretraining.config import PretrainingConfig
from dyssync.pretraining.loop import pretrain
from dyssync.pretraining.material import Material
from dyssync.pretraining.simclr import SimCLR
from dyssync.pretraining.vicreg import VICReg
from dyssync.pretraining.views import draw_pairs


def still(method):
    class Still(method):
        '''Draws of each recording the same two views, whoever asks.'''

        def draw(self, batch, rng):
            signals = [self.material.signal(row, self.pictures.layout) for row in batch]
            pairs = [
                draw_pairs([signal], self.pictures, np.random.default_rng(row))
                for row, signal in zip(batch, signals)
            ]
            pictures = [pair[0] for pair in pairs] + [pair[1] for pair in pairs]
            return pictures, np.zeros((len(pictures), 0), dtype=np.float32)

    return Still


def smooth(method):
    class Smooth(method):
        '''Without ReLU and max, where rounding decides which way a gradient goes.'''

        def network(self, encoder):
            from torch.nn import (
                AvgPool2d, BatchNorm1d, BatchNorm2d, Conv2d, Flatten, Linear, Sequential, Tanh,
            )

            return Sequential(
                Sequential(Conv2d(1, 4, 5, 4), BatchNorm2d(4), Tanh(), AvgPool2d(3), Flatten()),
                Sequential(Linear(100, 16), BatchNorm1d(16), Tanh()),
                Linear(16, 8),
            )

    return Smooth


class StillConfig(PretrainingConfig):
    def make_method(self):
        method = {"vicreg": smooth(VICReg), "simclr": SimCLR}[self.method]
        return still(method)(self.pictures, **self.settings)


def learn(fabric, ecgs, config, watch):
    return pretrain(Material.of(ecgs), config, seed=1, watch=watch, fabric=fabric)


def die(fabric):
    fabric.barrier()
    os.kill(os.getpid(), signal.SIGKILL)


def refuse(fabric):
    fabric.barrier()
    from dyssync.errors import CohortError
    raise CohortError("no such corpus here")


def refuse_in_the_middle(fabric, ecgs, config):
    from dataclasses import replace
    from dyssync.learning.training import Watch
    from dyssync.errors import CohortError

    def refuse(done, of):
        if done == 1:
            raise CohortError("no more")

    learn(fabric, ecgs, config, Watch(refuse))


def wait_on(fabric, folder):
    (folder / str(os.getpid())).touch()
    fabric.barrier()
    fabric.barrier()
"""


@pytest.fixture
def work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    (tmp_path / "work_together.py").write_text(WORK)
    monkeypatch.syspath_prepend(tmp_path)
    import work_together  # type: ignore[import-not-found]

    yield work_together
    del sys.modules["work_together"]


def learnt(
    work: ModuleType, ecgs: list[ECG], config: Any, processes: int, watch: Watch = UNWATCHED
) -> Encoder:
    follow = partial(work.learn, ecgs=ecgs, config=config, watch=UNWATCHED)
    with together(Ranks(processes), config.precision, follow) as fabric:
        encoder = work.learn(fabric, ecgs, config, watch)
    assert isinstance(encoder, Encoder)
    return encoder


class Stop(Exception):  # noqa: N818 - stands for a killed process
    pass


def stop_in_second(done: int, of: int) -> None:
    if done == 2:  # told before it is saved: what is on disk is the first pass
        raise Stop


@pytest.mark.slow
@pytest.mark.parametrize(("method", "rounding"), [("vicreg", 1e-4), ("simclr", 0.05)])
def test_two_processes_learn_as_one_and_either_goes_on_where_the_other_stopped(
    method: str, rounding: float, work: ModuleType, toy: Toy, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr(checkpoint, "CHECKPOINT_EVERY_S", 0.0)
    # 12 in batches of 5, 5 and 2: shares of 3 and 2, and of 1 and 1
    ecgs = toy[0][:12]
    config = work.StillConfig(
        method=method, height=64, width=64, passes=3, batch_size=5, precision="32-true"
    )
    alone = learnt(work, ecgs, config, 1).record.loss
    many = learnt(work, ecgs, config, 2).record
    np.testing.assert_allclose(many.loss, alone, rtol=rounding)
    assert many.processes == (2, 2, 2)
    if method == "simclr":  # one tells of checkpoints
        return
    for before, after in ((1, 2), (2, 1)):
        folder = tmp_path / f"{before}"
        with pytest.raises(Stop):
            learnt(work, ecgs, config, before, Watch(stop_in_second, folder))
        resumed = learnt(work, ecgs, config, after, Watch(checkpoint=folder)).record
        np.testing.assert_allclose(resumed.loss, alone, rtol=rounding)
        assert resumed.processes == (before, after, after)


def meet_twice(follow: Callable[[Fabric], object], between: type[Exception] | None = None) -> None:
    with together(Ranks(2), "32-true", follow) as fabric:
        assert fabric is not None
        fabric.barrier()
        if between is not None:
            raise between
        fabric.barrier()


@pytest.mark.slow
def test_whoever_ends_the_others_end_and_it_is_told(
    work: ModuleType, toy: Toy, tmp_path: Path
) -> None:
    for follow, told in ((work.die, "the system ended"), (work.refuse, "no such corpus here")):
        with pytest.raises(InputError, match=told):
            meet_twice(follow)
    with pytest.raises(Stop):
        meet_twice(partial(work.wait_on, folder=tmp_path), Stop)
    config = work.StillConfig(method="vicreg", height=64, width=64, passes=9, batch_size=4)
    follow = partial(work.refuse_in_the_middle, ecgs=toy[0][:4], config=config)
    with (
        pytest.raises(InputError, match="no more"),
        together(Ranks(2), "32-true", follow) as fabric,
    ):
        work.learn(fabric, toy[0][:4], config, UNWATCHED)
    (pid,) = [int(path.name) for path in tmp_path.iterdir() if path.name.isdigit()]
    with pytest.raises(ProcessLookupError):
        os.kill(pid, signal.SIG_DFL)


@pytest.mark.slow
def test_who_does_not_come_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """As where another one ended before it could say so."""
    port = str(seat_here(1, 1, {}).port)
    given = {**TORCHRUN, "WORLD_SIZE": "2", "LOCAL_WORLD_SIZE": "2", "MASTER_PORT": port}
    given |= {"RANK": "0", "LOCAL_RANK": "0", "MASTER_ADDR": "127.0.0.1"}
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    began = time.monotonic()
    with (
        pytest.raises(InputError, match=r"2 processes .* did not all meet within 2 s") as caught,
        together(Ranks(meet_within=2.0), "32-true", print),
    ):
        pass
    assert time.monotonic() - began < 60
    assert "\n" not in str(caught.value)


@pytest.mark.slow
def test_who_has_met_may_take_longer() -> None:
    seat = seat_here(1, 1, {})
    with connected(seat, "32-true", 20.0):
        gloo = torch.distributed.group.WORLD._get_backend(torch.device("cpu"))
        assert gloo.options._timeout.total_seconds() == 1800


@pytest.mark.slow
def test_the_verb_learns_on_two_machines_as_on_one(
    toy_cohort: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    call = ["pretrain", str(toy_cohort / "corpus"), "--passes", "2", "--batch-size", "4"]
    call += ["--height", "64", "--width", "64"]
    assert main([*call, "--out", str(tmp_path / "one")]) == 0
    port = str(seat_here(1, 1, {}).port)
    for name, value in (("MASTER_ADDR", "127.0.0.1"), ("MASTER_PORT", port), ("NODE_RANK", "0")):
        monkeypatch.setenv(name, value)
    many = [*call, "--nodes", "2", "--out", str(tmp_path / "two")]
    other = subprocess.Popen(
        [sys.executable, "-m", "dyssync", *many],
        env={**os.environ, "NODE_RANK": "1", "PYTHONPATH": os.pathsep.join(sys.path)},
        stdout=subprocess.PIPE,
    )
    assert main(many) == 0
    told, _ = other.communicate(timeout=60)
    assert (other.returncode, told) == (0, b"")
    one, two = (load_encoder(tmp_path / name) for name in ("one", "two"))
    assert two.seen == one.seen
    # views are drawn anew: the spread of the loss over seeds, not that of rounding
    np.testing.assert_allclose(two.record.loss, one.record.loss, rtol=0.3)
    assert not list(tmp_path.glob(".*checkpoint"))


TORCHRUN = {
    "TORCHELASTIC_RUN_ID": "x", "WORLD_SIZE": "6", "LOCAL_WORLD_SIZE": "3", "RANK": "4",
    "LOCAL_RANK": "1", "MASTER_ADDR": "a", "MASTER_PORT": "7",
}  # fmt: skip
SLURM = {
    "SLURM_STEP_ID": "0", "SLURM_NTASKS": "6", "SLURM_NNODES": "2", "SLURM_PROCID": "4",
    "SLURM_LOCALID": "1", "SLURM_JOB_ID": "120042", "SLURM_STEP_NODELIST": "gpu[07-08]",
}  # fmt: skip


def test_seats_are_those_that_torchrun_slurm_or_the_user_gave() -> None:
    assert seat_given(1, 1, TORCHRUN) == Seat(4, 1, 3, 2, "a", 7)
    assert seat_given(3, 2, SLURM) == Seat(4, 1, 3, 2, "gpu07", 15_042)
    assert seat_given(1, 1, {"SLURM_JOB_ID": "1", "SLURM_NTASKS": "6"}) is None  # no srun
    own = {"NODE_RANK": "1", "MASTER_ADDR": "b", "MASTER_PORT": "8"}
    assert seat_here(3, 2, own) == Seat(3, 0, 3, 2, "b", 8)
    assert seat_here(3, 2, own).beside(2) == Seat(5, 2, 3, 2, "b", 8)
    with pytest.raises(ConfigError, match="3 on 2 were started"):
        seat_given(2, 2, SLURM)
    with pytest.raises(ConfigError, match="NODE_RANK, MASTER_ADDR, MASTER_PORT not set"):
        seat_here(1, 2, {})
    with pytest.raises(ConfigError, match="NODE_RANK is 2; 0 to 1"):
        seat_here(1, 2, {**own, "NODE_RANK": "2"})


@pytest.mark.parametrize("port", ["abc", "0", "65536", ""])
@pytest.mark.parametrize("started", [TORCHRUN, SLURM, {}])
def test_a_port_that_is_none_is_one_line(started: dict[str, str], port: str) -> None:
    if not port and started is not TORCHRUN:
        return  # one is chosen
    env = {**started, "MASTER_PORT": port}
    with pytest.raises(ConfigError, match="MASTER_PORT is"):
        seat_given(1, 1, env) or seat_here(1, 1, env)


@pytest.mark.parametrize(
    ("started", "name"),
    [(TORCHRUN, "MASTER_ADDR"), (TORCHRUN, "RANK"), (SLURM, "SLURM_STEP_NODELIST")],
)
def test_what_a_launcher_did_not_set_is_named(started: dict[str, str], name: str) -> None:
    env = {key: value for key, value in started.items() if key != name}
    with pytest.raises(ConfigError, match=name):
        seat_given(1, 1, env)


def test_each_recording_of_a_batch_has_one_process_and_each_process_has_one() -> None:
    for size in (4, 5, 7):
        for batch in batches(np.random.default_rng(0).permutation(23), size, 3):
            shares = shares_of(batch, 3)
            np.testing.assert_array_equal(np.concatenate(shares), batch)
            assert {len(share) for share in shares} <= {len(batch) // 3, len(batch) // 3 + 1}
            assert min(map(len, shares)) > 0


def test_a_shared_batch_norm_keeps_names_weights_and_evaluation() -> None:
    network = torch.nn.Sequential(torch.nn.Conv2d(1, 3, 3), torch.nn.BatchNorm2d(3))
    network(torch.randn(4, 1, 8, 8))
    before = {name: value.clone() for name, value in network.state_dict().items()}
    x = torch.randn(2, 1, 8, 8)
    wanted = network.eval()(x)
    share_batch_norm(network)
    assert list(network.state_dict()) == list(before)
    assert not network[1].training
    torch.testing.assert_close(network(x), wanted)
