"""Fixtures that several test files share."""

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Folder of real ECGs that are not part of the repository; skips where it is absent."""
    folder = Path(os.environ.get("DYSSYNC_TEST_DATA", ROOT.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"real ECGs not found at {folder}; set DYSSYNC_TEST_DATA to their folder")
    return folder
