"""A request's body: a few files and short fields, in memory, within limits of size and time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass

from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import Request

from dyssync.ecg import FS_RANGE
from dyssync.errors import ConfigError, check_choice, check_range
from dyssync.formats.reading.recording import UNITS
from dyssync.web.archive import plain_name
from dyssync.web.facts import FIELDS, read_number
from dyssync.web.readers import Upload
from dyssync.web.refusals import Refused, without_content

MAX_BODY_BYTES = 20 * 1024 * 1024  # a 12-lead ECG has 0.1-0.5 MB, a scan a few
MAX_FILES = 4  # header and samples of a WFDB record, and two to spare
MAX_FIELD_BYTES = 200
BODY_SECONDS = 60.0  # 20 MB over a line of 3 Mbit/s
FILE, TOKEN = "file", "token"
OPTIONS = ("fs", "unit", "page")
NEEDED = "multipart/form-data with a part 'file' is needed"


@dataclass(frozen=True)
class Sent:
    """What a client sent.

    Attributes:
        upload: files, and what it says of them.
        facts: clinical facts by name, text as it was typed.
        token: typed into the page; None elsewhere.
    """

    upload: Upload
    facts: Mapping[str, str]
    token: str | None


class _InMemory(MultiPartParser):
    """Starlette's parser, which would put what is larger than 1 MB on disk."""

    spool_max_size = MAX_BODY_BYTES + 1


async def read_request(request: Request) -> Sent:
    """Return what a client sent.

    Raises:
        Refused: 400 no whole multipart body; 408 too slow; 413 too large; 415 another kind of body;
            422 no file, or fields that cannot be.
    """
    if _kind(request) != "multipart/form-data":
        raise Refused(415, f"body of another content type; {NEEDED}")
    _check_stated(request)
    parser = _InMemory(
        request.headers,
        _limited(request),
        max_files=MAX_FILES,
        max_fields=len(FIELDS) + len(OPTIONS) + 1,
        max_part_size=MAX_FIELD_BYTES,
    )
    try:
        async with _in_time():
            form = await parser.parse()
    except MultiPartException as error:
        raise Refused(400, f"broken body, or too many or too long parts; {NEEDED}") from error
    try:
        return await _sent(form.multi_items())
    finally:
        await form.close()


async def read_call(request: Request) -> Sent:
    """Return a call of CDS Hooks, whose files and faults the reading process finds.

    Raises:
        Refused: 408 too slow; 413 too large; 415 another kind of body.
    """
    if _kind(request) != "application/json":
        raise Refused(415, "body of another content type; application/json is needed")
    _check_stated(request)
    chunks: list[bytes] = []
    async with _in_time():
        chunks.extend([chunk async for chunk in _limited(request)])
    return Sent(Upload({"call.json": b"".join(chunks)}, hook=True), {}, None)


def _kind(request: Request) -> str:
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


def _check_stated(request: Request) -> None:
    stated = request.headers.get("content-length", "")
    if stated.isdigit() and int(stated) > MAX_BODY_BYTES:
        raise _too_large()


@asynccontextmanager
async def _in_time() -> AsyncIterator[None]:
    try:
        async with asyncio.timeout(BODY_SECONDS):
            yield
    except TimeoutError as error:
        raise Refused(408, f"body took longer than {BODY_SECONDS:.0f} s; send it again") from error


async def _limited(request: Request) -> AsyncGenerator[bytes, None]:
    size = 0
    async for chunk in request.stream():
        size += len(chunk)  # whatever the header claims
        if size > MAX_BODY_BYTES:
            raise _too_large()
        yield chunk


def _too_large() -> Refused:
    return Refused(
        413,
        f"more than {MAX_BODY_BYTES // 1024**2} MB were sent; cut the ECG out, or scan at 300 dpi",
    )


async def _sent(items: list[tuple[str, UploadFile | str]]) -> Sent:
    files: dict[str, bytes] = {}
    texts: dict[str, str] = {}
    for name, value in items:
        if isinstance(value, UploadFile):
            data = await value.read()
            if name != FILE:
                raise Refused(422, f"file in a part of another name; {NEEDED}")
            if data or value.filename:
                plain = plain_name(value.filename or "")
                if plain in files:
                    raise Refused(422, "two files of one name were sent; send one recording")
                files[plain] = data
        elif name in texts:
            raise Refused(422, "a field is there twice; each once, or not at all")
        else:
            texts[name] = value.strip()
    known = (*FIELDS, *OPTIONS, TOKEN)
    if not set(texts) <= set(known):
        raise Refused(422, f"unknown field; known are {', '.join(known)}")
    if not files:
        raise Refused(422, f"no file was sent; {NEEDED}")
    facts = {name: texts[name] for name in FIELDS if texts.get(name)}
    return Sent(_upload(files, texts), facts, texts.get(TOKEN))


def _upload(files: Mapping[str, bytes], texts: Mapping[str, str]) -> Upload:
    fs, unit, page = (texts.get(name) or None for name in OPTIONS)
    try:
        return Upload(
            files,
            None if fs is None else check_range("fs", read_number("fs", fs), *FS_RANGE, "Hz"),
            None if unit is None else check_choice("unit", unit, UNITS),
            1 if page is None else _page(page),
        )
    except ConfigError as error:
        raise Refused(422, without_content(str(error))) from error


def _page(text: str) -> int:
    number = check_range("page", read_number("page", text), 1, 10_000)
    if number != int(number):
        raise Refused(422, "page is no whole number; correct it, or leave it empty")
    return int(number)
