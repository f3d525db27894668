"""Opening and sniffing: what every format shares."""

from __future__ import annotations

import gzip
import subprocess
import sys
from pathlib import Path

import pytest

from dyssync.errors import ConfigError, FormatError, InputError
from dyssync.formats import FORMATS, ReadOptions, parse_ecg, read_ecg


def test_missing_empty_and_folder_are_one_clear_line(tmp_path: Path) -> None:
    (tmp_path / "empty.dcm").touch()
    for name, message in [
        ("gone.xml", "gone.xml: no such file in"),
        ("empty.dcm", "empty.dcm: the file is empty"),
        ("", "a folder; a regular file is needed"),
    ]:
        with pytest.raises(FormatError) as caught:
            read_ecg(tmp_path / name)
        assert message in str(caught.value)
        assert "\n" not in str(caught.value)


def test_unknown_content_lists_the_formats() -> None:
    with pytest.raises(FormatError) as caught:
        parse_ecg("a.dcm", b"\x01\x02 nothing that is known")
    assert all(name in str(caught.value) for name in FORMATS)


def test_unknown_format_option_lists_the_choices() -> None:
    with pytest.raises(ConfigError, match=r"unknown format 'wfbd'.*Nearest: wfdb"):
        parse_ecg("a", b"x", ReadOptions(format="wfbd"))


def test_options_are_checked_when_made() -> None:
    for wrong in ({"fs": 5.0}, {"unit": "mmHg"}, {"page": 0}):
        with pytest.raises(InputError):
            ReadOptions(**wrong)  # type: ignore[arg-type]


def test_gzip_bomb_is_refused_unpacked() -> None:
    with pytest.raises(FormatError, match="more than 64 MB unpacked"):
        parse_ecg("a.csv.gz", gzip.compress(b"\0" * 200_000_000))
    with pytest.raises(FormatError, match="gzip data end too early"):
        parse_ecg("a.csv.gz", gzip.compress(b"1,2\n" * 1000)[:-20])


def test_importing_the_package_loads_no_format_library() -> None:
    heavy = "{'wfdb', 'pydicom', 'pandas', 'scipy', 'PIL', 'h5py', 'pyarrow'}"
    code = f"import sys, dyssync.formats; sys.exit(', '.join({heavy} & set(sys.modules)) or 0)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
