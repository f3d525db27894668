"""Two hosts at work on one study, one archive and one encoder: the bytes that one host leaves.

    make bench-hosts                    ten minutes on two cores; Linux, as root, with iproute2

The hosts are two network namespaces of this machine with a cable between them: addresses, ports
and loopbacks of their own, one file system. Everything goes through the command line. Prints a
Markdown table of digests, and for Ray how many workers each host had at once.

* study, scoring: a Ray of two hosts with one CPU each, against processes here;
* encoder: torchrun with one process a host, against two processes here; then the same with a host
  killed in the middle, and gone on by one process alone.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from bench_ray import FEW, LOCAL, SMALL, Work, digest_of, make_archive, scoring, study
from command_line import DYSSYNC, ENVIRONMENT, run
from markdown_rows import head, row

HOSTS = ("dyssync-0", "dyssync-1")  # network namespaces
CABLE = "dyssync"  # the interface that each sees
ADDRESSES = ("10.77.0.1", "10.77.0.2")
PORT, MEETING_PORT = 6379, 29500
HERE = Path(sys.executable).parent
ENCODER = (
    *("--method", "measurements", "--height", "64", "--width", "64"),
    *("--batch-size", "32", "--passes", "6", "--seed", "1"),
)


def ip(*words: str) -> None:
    """Call ip.

    Raises:
        SystemExit: it failed; with what it said.
    """
    done = subprocess.run(["ip", *words], capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"ip {' '.join(words)}: {done.stderr.strip()}")


@contextmanager
def two_hosts() -> Iterator[None]:
    """Make both hosts; end what still runs on them, and them."""
    with ExitStack() as ends:
        for host in HOSTS:
            ip("netns", "add", host)
            ends.callback(ip, "netns", "delete", host)
            ends.callback(end_all, host)
            ip("-n", host, "link", "set", "lo", "up")
        ip("link", "add", CABLE, "netns", HOSTS[0], "type", "veth",
           "peer", "name", CABLE, "netns", HOSTS[1])  # fmt: skip
        for host, address in zip(HOSTS, ADDRESSES, strict=True):
            ip("-n", host, "address", "add", f"{address}/24", "dev", CABLE)
            ip("-n", host, "link", "set", CABLE, "up")
        yield


def pids_of(host: str) -> list[int]:
    """Return the processes of a host."""
    told = subprocess.run(["ip", "netns", "pids", host], capture_output=True, text=True, check=True)
    return [int(word) for word in told.stdout.split()]


def end_all(host: str) -> None:
    """Kill what runs on a host."""
    for pid in pids_of(host):
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def started(host: str, *words: str | Path) -> subprocess.Popen[str]:
    """Start a program on a host; Gloo is told which interface leads to the other."""
    return subprocess.Popen(
        ["ip", "netns", "exec", host, *map(str, words)],
        env={**ENVIRONMENT, "GLOO_SOCKET_IFNAME": CABLE},
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def ended(*programs: subprocess.Popen[str]) -> None:
    """Wait for programs.

    Raises:
        SystemExit: one failed; with what it said.
    """
    for program in programs:
        _, said = program.communicate()
        if program.returncode:
            raise SystemExit(f"{program.args!r}\n{said[-2000:]}")


@contextmanager
def ray_of_two(folder: Path) -> Iterator[str]:
    """Start a Ray of both hosts, one CPU each; yield its address."""
    place = f"{ADDRESSES[0]}:{PORT}"
    common = ("--num-cpus", "1", "--object-store-memory", str(256 * 2**20), "--block")
    nodes = (
        ("--head", "--port", str(PORT), "--include-dashboard=false", "--temp-dir", str(folder)),
        ("--address", place),
    )
    with ExitStack() as ends:
        for host, address, words in zip(HOSTS, ADDRESSES, nodes, strict=True):
            node = started(
                host, HERE / "ray", "start", *words, "--node-ip-address", address, *common
            )
            ends.callback(node.communicate)
            ends.callback(end_all, host)
            time.sleep(10)  # until it answers; a node gives up after a minute
        yield place


def by_both(work: Work, out: Path, address: str) -> tuple[str, list[int]]:
    """Do work on both hosts; return the digest of what it left, and the most workers of each."""
    call = work.call(out, ("--executor", "ray", "--address", address), 2)
    command = started(HOSTS[0], *DYSSYNC, *call)
    most = [0, 0]
    while command.poll() is None:
        most = [max(a, workers_on(host)) for a, host in zip(most, HOSTS, strict=True)]
        time.sleep(0.2)
    ended(command)
    return digest_of(work.left(out)), most


def workers_on(host: str) -> int:
    """Return how many of Ray's workers are at a call of ours on a host."""
    found = 0
    for pid in pids_of(host):
        with suppress(OSError):
            found += b"ray::_work" in Path("/proc", str(pid), "cmdline").read_bytes()
    return found


def learn(corpus: Path, out: Path) -> list[subprocess.Popen[str]]:
    """Start one process of torchrun on each host."""
    pretrain = (*DYSSYNC[2:], "pretrain", corpus, *ENCODER, "--out", out)
    meeting = ("--master-addr", ADDRESSES[0], "--master-port", str(MEETING_PORT))
    return [
        started(
            host, HERE / "torchrun", "--nnodes", "2", "--nproc-per-node", "1",
            "--node-rank", str(k), *meeting, *pretrain,
        )
        for k, host in enumerate(HOSTS)
    ]  # fmt: skip


def weights(out: Path) -> str:
    """Return the digest of an encoder."""
    return digest_of([out / "encoder.safetensors"])


def passes(out: Path) -> list[int]:
    """Return by how many processes each pass was learnt."""
    return list(json.loads((out / "encoder.json").read_text())["processes"])


def show_ray(works: Sequence[Work], scratch: Path) -> None:
    """Print what both hosts leave of some works, against processes here."""
    whole = {work.name: work.done(scratch / f"{work.name}-here", LOCAL, 2) for work in works}
    with ray_of_two(scratch / "ray") as address:
        for work in works:
            left, most = by_both(work, scratch / f"{work.name}-both", address)
            said = " and ".join(map(str, most))
            print(row(work.name, f"Ray, workers {said}", left, whole[work.name]), flush=True)


def show_encoder(corpus: Path, scratch: Path) -> None:
    """Print what both hosts learn, and what one goes on with when the other was killed."""
    here = scratch / "encoder-here"
    run("pretrain", corpus, *ENCODER, "--devices", "2", "--out", here)
    both = scratch / "encoder-both"
    ended(*learn(corpus, both))
    print(row("encoder", "torchrun, 1 process each", weights(both), weights(here)), flush=True)
    out = scratch / "encoder-killed"
    programs = learn(corpus, out)
    while not list(out.parent.glob(f"*{out.name}*/**/*.safetensors")):
        if any(program.poll() is not None for program in programs):
            raise SystemExit("encoder: ended before a host could be killed")
        time.sleep(0.2)
    end_all(HOSTS[1])
    for program in programs:
        program.communicate()
    run("pretrain", corpus, *ENCODER, "--devices", "1", "--out", out)
    said = f"one host killed; processes of each pass {passes(out)}"
    print(row("encoder", said, weights(out), ""), flush=True)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--patients", type=int, default=60, help="of the study")
    parser.add_argument("--ecgs", type=int, default=512, help="of the corpus")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="dyssync-") as folder, two_hosts():
        scratch = Path(folder)
        os.environ["XDG_CACHE_HOME"] = ENVIRONMENT["XDG_CACHE_HOME"] = str(scratch / "cache")
        few, corpus = scratch / "few", scratch / "corpus"
        run("simulate", "--patients", str(given.patients), "--seed", "5", "--out", few)
        run("study", "--cohort", few / "cohort.csv", *SMALL, "--out", scratch / "bundle-of")
        archive = make_archive(few / "records", FEW, given.patients, few / "archive")
        run("simulate", "--unlabelled", "--patients", str(given.ecgs), "--seed", "6",
            "--out", corpus)  # fmt: skip
        print(head("work", "by both hosts", "left", "left here"))
        works = [study(few / "cohort.csv"), scoring(scratch / "bundle-of" / "bundle", archive)]
        show_ray(works, scratch)
        show_encoder(corpus, scratch)


if __name__ == "__main__":
    main()
