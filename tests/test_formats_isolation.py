"""Converting apart: what a file does to its process stays there, and costs no new start."""

from __future__ import annotations

import os
import resource
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from dyssync.errors import FormatError
from dyssync.formats.reading.isolation import Apart, convert_apart

pytestmark = pytest.mark.slow  # each starts a process

MODULE = """
import os, signal, sys
from dyssync.errors import FormatError
from dyssync.formats.reading.apart import serve

def convert(data):
    if data == b"crash":
        os.kill(os.getpid(), signal.SIGSEGV)
    if data == b"loop":
        while True:
            pass
    if data == b"raise":
        raise ValueError("not ours")
    if data == b"memory":
        bytearray(400_000_000)  # more than a file may take
    if data == b"refuse":
        raise FormatError("no ECG in there")
    if data == b"server":
        return str(os.getppid()).encode()
    return data[::-1]

if __name__ == "__main__":
    sys.exit(serve(convert, ("json",)))
"""


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    name = f"apart_{tmp_path.name.replace('-', '_')}"
    (tmp_path / f"{name}.py").write_text(MODULE)
    paths = [str(tmp_path), *filter(None, [os.environ.get("PYTHONPATH")])]
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(paths))
    return name


def test_a_file_that_kills_its_process_is_refused_and_the_next_is_read(module: str) -> None:
    server = convert_apart(module, b"server")
    for hostile in (b"crash", b"loop", b"raise", b"memory"):
        with pytest.raises(FormatError, match="the library that reads it gave up"):
            convert_apart(module, hostile)
    with pytest.raises(FormatError, match=r"^no ECG in there$"):
        convert_apart(module, b"refuse")
    assert convert_apart(module, b"abc" * 10_000_000) == b"cba" * 10_000_000
    assert convert_apart(module, b"server") == server


def test_threads_get_each_their_own_answer(module: str) -> None:
    texts = [str(number).encode() for number in range(40)]
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda text: convert_apart(module, text), texts))
    assert answers == [text[::-1] for text in texts]


def test_a_process_that_was_forked_starts_its_own_server(module: str) -> None:
    server = convert_apart(module, b"server")
    child = os.fork()
    if child == 0:
        os._exit(int(convert_apart(module, b"server") == server))
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert convert_apart(module, b"server") == server


def test_a_server_that_was_ended_is_replaced(module: str) -> None:
    os.kill(int(convert_apart(module, b"server")), 9)
    assert convert_apart(module, b"abc") == b"cba"


def test_a_server_outlives_the_thread_that_started_it(module: str) -> None:
    apart = Apart(module)
    with ThreadPoolExecutor(1) as threads:
        server = threads.submit(apart.convert, b"server").result()
    assert apart.convert(b"server") == server
    apart.end()


@pytest.mark.skipif(not hasattr(resource, "prlimit"), reason="bounds another process, as Linux can")
def test_a_process_that_cannot_be_limited_is_refused_with_words(module: str) -> None:
    apart = Apart(module)
    server = int(apart.convert(b"server"))
    taken = int(Path(f"/proc/{server}/statm").read_text().split()[0]) * resource.getpagesize()
    most = taken + 100_000_000  # less than a file may take
    resource.prlimit(server, resource.RLIMIT_AS, (most, most))
    with pytest.raises(FormatError, match="gave up"):
        apart.convert(b"abc")
    apart.end()
