"""The application: a page at /, the API beside it, and one way to say no."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from functools import partial

import anyio.to_thread
from fastapi import FastAPI
from fastapi.responses import HTMLResponse, JSONResponse
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp

from dyssync import __version__
from dyssync.web import audit
from dyssync.web.answers import Answers
from dyssync.web.api import Desk, add_api, add_hooks
from dyssync.web.asking import wants_all
from dyssync.web.guard import Door, Guard, check_token
from dyssync.web.page import Page, report_style, static_folder
from dyssync.web.published import DESCRIPTION
from dyssync.web.refusals import Refused
from dyssync.web.uploads import read_request

FAULT = "fault of the server; it is noted without anything of the upload"


def create_app(answers: Answers, token: str | None = None) -> ASGIApp:
    """Return the application.

    Args:
        answers: of one bundle.
        token: that a request must bring; None answers everybody.
    """

    @asynccontextmanager
    async def life(_: FastAPI) -> AsyncIterator[None]:
        yield
        await anyio.to_thread.run_sync(answers.end)

    app = FastAPI(
        title="dyssync",
        version=__version__,
        description=DESCRIPTION,
        docs_url=None,  # these pages load scripts from elsewhere
        redoc_url=None,
        lifespan=life,
    )
    app.mount("/static/shared", StaticFiles(directory=report_style()), name="shared")
    app.mount("/static", StaticFiles(directory=static_folder()), name="static")
    desk = Desk(answers, token, Door())
    add_api(app, desk)
    add_hooks(app, desk)
    _add_page(app, desk)
    _add_refusals(app, answers)
    return Guard(app)


def _add_page(app: FastAPI, desk: Desk) -> None:
    answers, token = desk.answers, desk.token
    page = Page(answers, needs_token=token is not None)

    @app.get("/", include_in_schema=False)
    async def start() -> HTMLResponse:
        return HTMLResponse(page.empty())

    @app.get("/batch", include_in_schema=False)
    async def batch() -> HTMLResponse:
        return HTMLResponse(page.batch())

    @app.post("/", include_in_schema=False)
    async def show(request: Request) -> HTMLResponse:
        try:
            if request.headers.get("authorization"):
                check_token(request, token)  # before the body is read
            work = partial(answers.page, every=wants_all(request, usually=False))
            with desk.door.entered():
                sent = await read_request(request)
                check_token(request, token, sent.token)
                read, found = await desk.worked(sent, work)
        except Refused as error:
            audit.note("/", answers.digest, "refused", error.status)
            return HTMLResponse(page.refused(error), error.status)
        text = await anyio.to_thread.run_sync(page.answered, found, sent.facts)
        verdict = "refused" if found.prediction is None else desk.verdict_on(found.prediction)
        desk.note("/", verdict, read)
        return HTMLResponse(text)


def _add_refusals(app: FastAPI, answers: Answers) -> None:
    def told(status: int, text: str, headers: Mapping[str, str] | None = None) -> JSONResponse:
        return JSONResponse({"detail": text}, status, headers)

    async def refused(request: Request, error: Exception) -> Response:
        assert isinstance(error, Refused)
        audit.note(request.scope["path"][:30], answers.digest, "refused", error.status)
        headers = {"WWW-Authenticate": "Bearer"} if error.status == 401 else None
        return told(error.status, error.text, headers)

    async def unknown(_: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        return told(error.status_code, str(error.detail), error.headers)

    async def cut_off(_: Request, __: Exception) -> Response:
        return told(400, "the connection ended before the body did; send it again")

    async def fault(_: Request, __: Exception) -> Response:
        return told(500, FAULT)

    handlers: dict[type[Exception], Callable[[Request, Exception], Awaitable[Response]]] = {
        Refused: refused, HTTPException: unknown, ClientDisconnect: cut_off, Exception: fault,
    }  # fmt: skip
    for kind, handler in handlers.items():
        app.add_exception_handler(kind, handler)
