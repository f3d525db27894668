"""What `import dyssync` offers is what it says, and costs nothing until used."""

import subprocess
import sys

import pytest

import dyssync


@pytest.mark.parametrize("name", sorted(set(dyssync.__all__) - {"__version__"}))
def test_every_public_name_is_there_with_a_docstring(name: str) -> None:
    thing = getattr(dyssync, name)
    assert isinstance(thing, tuple) or thing.__doc__


def test_import_alone_loads_no_library() -> None:
    code = "import sys, dyssync; assert not {'numpy', 'torch'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no_such_thing"):
        dyssync.no_such_thing  # noqa: B018
