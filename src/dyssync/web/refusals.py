"""Why a request is refused: a status and one line, in which nothing of the upload stands.

What readers say of a file quotes it: column names, text that is no number, first bytes. That is
right on a user's own terminal and wrong in an answer or a log. So a line is sent with those words
only that stand in the source of dyssync itself; the rest becomes "…".
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable

from dyssync.errors import InputError

MAX_TEXT = 300  # characters
LONGEST_NUMBER = 6  # digits; longer ones may be dates or a patient's id
# rooms and modules whose messages reach a user of the page
SPEAKERS = (
    "errors.py", "ecg.py", "image.py", "formats", "signals", "measurements", "pages", "cohort",
    "models", "prediction", "web",
)  # fmt: skip
_HIDDEN = "…"
_QUOTED = re.compile(r"(?<!\w)b?('|\")(?P<inner>(?:\\.|(?!\1).)*)\1(?!\w)")
_WORD = re.compile(r"[^\W\d_]+|\d+")
_NAME = re.compile(r"^upload(\.\w+)*: ")
_SEVERAL = re.compile(rf"{_HIDDEN}(?:[^\w()]*{_HIDDEN})+")


class Refused(InputError):  # noqa: N818 - what happened to the request
    """A request that is not answered.

    Attributes:
        status: of HTTP.
        text: one line: what was found, what is needed, what to do.
    """

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status
        self.text = text


def without_content(message: str) -> str:
    """Return a message without anything that may stand in an upload, as one short line.

    >>> without_content("upload.csv: 2 leads (I, Meier), 12 needed; id 20240131 is b'xy'")
    '2 leads (I, …), 12 needed; id … is …'
    """
    text = _QUOTED.sub(_known_quote, _NAME.sub("", message))
    text = _WORD.sub(_known_word, " ".join(text.split()))
    text = _SEVERAL.sub(_HIDDEN, text)
    return text if len(text) <= MAX_TEXT else text[: MAX_TEXT - 1] + _HIDDEN


def _known_quote(found: re.Match[str]) -> str:
    own = len(found["inner"].split()) > 1 and found["inner"] in _own_texts()
    return found[0] if own else _HIDDEN


def _known_word(found: re.Match[str]) -> str:
    word = found[0]
    if word.isdigit():
        return word if len(word) <= LONGEST_NUMBER else _HIDDEN
    return word if word.lower() in _own_words() else _HIDDEN


@cache
def _own_words() -> frozenset[str]:
    return frozenset(word.lower() for word in _WORD.findall(_own_texts()))


@cache
def _own_texts() -> str:
    """Return all texts in the source of dyssync, docstrings left out, a line each."""
    package = files("dyssync")
    roots = [package.joinpath(name) for name in SPEAKERS]
    return "\n".join(text for root in roots for text in _texts(root))


def _texts(place: Traversable) -> Iterator[str]:
    if place.is_dir():
        for inner in place.iterdir():
            yield from _texts(inner)
    elif place.name.endswith(".py"):
        tree = ast.parse(place.read_text(encoding="utf-8"))
        remarks = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and id(node) not in remarks:
                yield str(node.value)
