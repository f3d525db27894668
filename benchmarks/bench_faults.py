"""Accidents at random moments: kills, two calls at once, full disks. Nothing may be lost by them.

    make bench-faults                                             about an hour on two cores
    python benchmarks/bench_faults.py --part kills --times 5      a look
    python benchmarks/bench_faults.py --verb study --verb convert

Everything goes through the command line, on small virtual cohorts (see fault_cases.py):

* kills: SIGKILL to the command or to all its processes, at a moment that is uniform over the time
  of a whole call. 5 s later nobody may live; the same call must then leave the bytes of one that
  was never killed, and nothing beside them;
* pairs: two equal calls at once. One does its work, one is refused in one line;
* full: a disk of 20 sizes, from nearly nothing to nearly enough. One line; with room, the same
  call leaves the same bytes. As root on a tmpfs that is mounted for it; else every *file* is
  limited to such a size (RLIMIT_FSIZE), which is the same accident to one file at a time.

Prints a Markdown line for each verb and part, what went wrong below it, and ends with 1 if
anything did.
"""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import numpy as np

from fault_cases import (
    Case,
    cases,
    finished,
    make_material,
    new_place,
    seconds_until_all_are_gone,
    start,
)
from small_disks import limit_files, limited, may_mount, small_disk

GONE_AFTER_S = 5.0
REFUSALS = ("another dyssync is at work", "exists already", "holds a finished study")


def reference(case: Case, root: Path) -> tuple[dict[str, bytes], float, int]:
    """Return what a whole call leaves, its seconds, and the bytes on the disk in the meantime."""
    place = new_place(root)
    began = time.monotonic()
    code, said = finished(case, place)
    seconds = time.monotonic() - began
    if code:
        raise SystemExit(said)
    held = place.contents()
    return held, seconds, sum(map(len, held.values()))


def kills(case: Case, root: Path, times: int, rng: np.random.Generator) -> Iterator[str]:
    """Yield what went wrong."""
    expected, seconds, _ = reference(case, root)
    for k in range(times):
        place = new_place(root)
        moment, send = rng.uniform(0.0, seconds), (os.kill, os.killpg)[rng.integers(2)]
        process, token = start(case, place)
        time.sleep(moment)
        if process.poll() is None:
            send(process.pid, signal.SIGKILL)
        process.communicate()
        trial = f"kill {k + 1} ({send.__name__} after {moment:.1f} of {seconds:.1f} s)"
        if seconds_until_all_are_gone(token, GONE_AFTER_S) >= GONE_AFTER_S:
            yield f"{trial}: processes lived on"
        if place.contents() != expected:  # else it was killed after its work
            code, said = finished(case, place, force=case.force and place.out.exists())
            if code and not any(words in said for words in REFUSALS):
                yield f"{trial}: the same call ended with {code}: {said}"
        yield from (f"{trial}: {what}" for what in differences(place.contents(), expected))


def differences(found: dict[str, bytes], expected: dict[str, bytes]) -> Iterator[str]:
    """Yield in what two results differ."""
    for name in sorted(found.keys() | expected.keys()):
        if name not in found:
            yield f"{name} is missing"
        elif name not in expected:
            yield f"{name} is left over"
        elif found[name] != expected[name]:
            yield f"{name} differs"


def pairs(case: Case, root: Path, times: int, rng: np.random.Generator) -> Iterator[str]:
    """Yield what went wrong."""
    expected, seconds, _ = reference(case, root)
    for k in range(times):
        place = new_place(root)
        first, _ = start(case, place)
        # at once, or at any moment of the first one's work
        time.sleep(rng.integers(2) * rng.uniform(0.0, 0.8 * seconds))
        second, _ = start(case, place)
        said = [process.communicate()[1] for process in (first, second)]
        codes = [first.returncode, second.returncode]
        if sorted(codes) != [0, 2]:
            yield f"pair {k + 1}: exit codes {codes}: {said}"
            continue
        refused = said[codes.index(2)]
        if refused.count("\n") != 1 or not any(words in refused for words in REFUSALS):
            yield f"pair {k + 1}: {refused}"
        yield from (f"pair {k + 1}: {what}" for what in differences(place.contents(), expected))


def full(case: Case, root: Path, times: int, rng: np.random.Generator) -> Iterator[str]:
    """Yield what went wrong."""
    expected, _, size = reference(case, root)
    largest = max(map(len, expected.values()))
    for share in rng.uniform(0.02, 0.98, times):
        trial = f"disk of {share:.0%}"
        limit = None if may_mount() else partial(limit_files, int(share * largest))
        made = small_disk(root, int(share * size)) if may_mount() else limited(root)
        with made as (place, grow):
            process, _ = start(case, place, limit=limit)
            _, said = process.communicate()
            told = [line for line in said.splitlines() if line.startswith("error: ")]
            if process.returncode != 2 or len(told) != 1 or "Traceback" in said:
                yield f"{trial}: ended with {process.returncode}: {said}"
            grow()
            code, said = finished(case, place, force=case.force and place.out.exists())
            if code:
                yield f"{trial}: with room, the same call ended with {code}: {said}"
            yield from (f"{trial}: {what}" for what in differences(place.contents(), expected))


# part -> how many times for each verb
PARTS: dict[str, tuple[Callable[[Case, Path, int, np.random.Generator], Iterator[str]], int]] = {
    "kills": (kills, 20),
    "pairs": (pairs, 13),
    "full": (full, 4),
}
# two that write the same files into one folder do not harm each other: nobody is refused
NOT_PAIRED = ("convert",)


def main() -> int:
    """Run the parts that are asked for; return 1 where something did not hold."""
    parser = argparse.ArgumentParser(description="Accidents at random moments.")
    parser.add_argument("--part", choices=PARTS, action="append", help="default: all")
    parser.add_argument("--verb", action="append", help="default: all that write")
    parser.add_argument("--times", type=int, help="for each verb; default: 20, 13, 4")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--folder", type=Path, default=Path("build/bench-faults"))
    given = parser.parse_args()
    known = cases(make_material(given.folder.absolute() / "material"))
    if unknown := sorted(set(given.verb or ()) - set(known)):
        parser.error(f"--verb {', '.join(unknown)}: not known; there are {', '.join(known)}")
    wrong = 0
    print("| part | verb | times | went wrong | s |\n|---|---|---|---|---|", flush=True)
    for part in given.part or PARTS:
        trial, usual = PARTS[part]
        times = given.times or usual
        for verb in given.verb or known:
            if part == "pairs" and verb in NOT_PAIRED:
                continue
            began = time.monotonic()
            rng = np.random.default_rng([given.seed, *f"{part} {verb}".encode()])
            root = given.folder.absolute() / f"{part}-{verb.replace(' ', '')}"
            found = list(trial(known[verb], root, times, rng))
            shutil.rmtree(root, ignore_errors=True)
            wrong += len(found)
            spent = time.monotonic() - began
            print(f"| {part} | {verb} | {times} | {len(found)} | {spent:.0f} |", flush=True)
            print("".join(f"\n    {what}" for what in found), end="\n" if found else "", flush=True)
    return 1 if wrong else 0


if __name__ == "__main__":
    raise SystemExit(main())
