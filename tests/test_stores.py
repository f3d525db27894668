"""Corpora in a store: made there and learnt from there, against an S3 server on this machine."""

import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pyarrow.fs
import pytest

from dyssync.cli import main
from dyssync.cohort import gathering
from dyssync.cohort.adding import add_to_corpus
from dyssync.cohort.gathering import Sources
from dyssync.cohort.shards import read_shard, read_shards, shards_of
from dyssync.cohort.stores import Remote, StoreError, place_of
from dyssync.errors import ConfigError
from dyssync.formats import list_files
from dyssync.pretraining.preparing import prepare_material

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("stores")]  # they start one server


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """Yield the address of an S3 server that keeps everything in memory."""
    if find_spec("moto") is None:  # importing it here would load half of AWS
        pytest.skip("no moto; install the extra dev")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    call = [sys.executable, "-W", "ignore", "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    with subprocess.Popen(call, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        for _ in range(300):
            with socket.socket() as door:
                if door.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.1)
        yield f"127.0.0.1:{port}"
        process.terminate()


@pytest.fixture
def bucket(server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Remote:
    """An empty folder in a bucket."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "nobody")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "nothing")
    monkeypatch.setattr(gathering, "SHARD", 5)
    options = {"endpoint_override": server, "scheme": "http", "region": "us-east-1"}
    store = pyarrow.fs.S3FileSystem(**options, allow_bucket_creation=True)
    store.create_dir(tmp_path.name.replace("_", "-"))
    told = "&".join(f"{key}={value}" for key, value in options.items())
    return Remote(f"s3://{tmp_path.name.replace('_', '-')}/corpus?{told}")


def test_a_corpus_in_a_store_is_the_one_on_disk(
    bucket: Remote, toy_cohort: Path, tmp_path: Path
) -> None:
    sources = Sources(files=list_files(toy_cohort / "corpus"))
    here = add_to_corpus(tmp_path / "c", sources)
    assert add_to_corpus(bucket, sources, workers=2) == here
    for place in shards_of(bucket):
        with place.opened() as file:
            assert file.read() == (tmp_path / "c" / place.name).read_bytes()
    assert add_to_corpus(bucket, sources).known == 12
    near, _ = prepare_material([tmp_path / "c"], tmp_path / "cache")
    far, _ = prepare_material([bucket], tmp_path / "cache", workers=2)
    assert far.digest == near.digest
    assert len(list((tmp_path / "cache").iterdir())) == 2
    again = add_to_corpus(tmp_path / "copy", Sources(shards=[bucket]))
    assert again.recordings == 12


def test_a_killed_addition_to_a_store_goes_on(
    bucket: Remote, toy_cohort: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "ecgs"
    shutil.copytree(toy_cohort / "corpus", folder)
    sources = Sources(files=list_files(folder))
    whole = add_to_corpus(bucket, sources)
    before = bucket.files().keys()
    (bucket / "shard-000002.json").remove()
    told: list[int] = []
    resumed = add_to_corpus(bucket, sources, on_progress=lambda done, of: told.append(done))
    assert (resumed.total, told) == (whole.total, [10, 12])
    assert bucket.files().keys() == before
    assert len(list(read_shards(bucket))) == 12


@pytest.mark.parametrize("uri", ["s3://{}/none?{}", "nonsense://{}/c?{}", "s3://no-bucket/c?{1}"])
def test_what_a_store_does_not_hold_is_one_line(
    uri: str, bucket: Remote, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    name, options = bucket.uri.removeprefix("s3://").split("/")[0], bucket.uri.partition("?")[2]
    address = uri.format(name, options)
    assert main(["pretrain", address, "--out", str(tmp_path / "e"), "--workers", "1"]) == 2
    told = capsys.readouterr().err
    assert told.count("\n") == 1
    with pytest.raises(StoreError):
        next(read_shard(bucket / "shard-000099.parquet"))


def test_no_key_is_taken_from_an_address_or_told() -> None:
    with pytest.raises(ConfigError, match="a key stands in the address") as caught:
        place_of("s3://me:secret@bucket/corpus")
    assert "secret" not in str(caught.value)


def test_stores_of_fsspec_are_reached_as_well(toy_cohort: Path, tmp_path: Path) -> None:
    sources = Sources(files=list_files(toy_cohort / "corpus"))
    add_to_corpus(tmp_path / "near", sources)
    far = Remote(f"fsspec+file://{tmp_path / 'far'}")
    add_to_corpus(far, sources)
    signals = [[ecg.signal for ecg in read_shards(place)] for place in (tmp_path / "near", far)]
    np.testing.assert_array_equal(*signals)
