"""The application: a page at /, the API beside it, and one way to say no."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from typing import TypeVar

import anyio.to_thread
from fastapi import Depends, FastAPI
from fastapi.responses import HTMLResponse, JSONResponse
from fastapi.security import HTTPBearer
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp

from dyssync import __version__
from dyssync.image import Input
from dyssync.prediction.predictor import Prediction
from dyssync.prediction.short import short_answer
from dyssync.web import audit
from dyssync.web.answers import Answers
from dyssync.web.guard import Door, Guard, check_token
from dyssync.web.levels import verdict_of
from dyssync.web.page import Page, report_style, static_folder
from dyssync.web.published import BODY, DESCRIPTION, Health, answers_of, predicted
from dyssync.web.refusals import Refused
from dyssync.web.uploads import Sent, read_request

T = TypeVar("T")
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
    door = Door()
    _add_api(app, answers, token, door)
    _add_page(app, answers, token, door)
    _add_refusals(app, answers)
    return Guard(app)


def _add_api(app: FastAPI, answers: Answers, token: str | None, door: Door) -> None:
    asked = [] if token is None else [Depends(HTTPBearer(auto_error=False))]  # for the description

    async def answered(request: Request, work: Callable[[Input], T]) -> tuple[Input, T]:
        check_token(request, token)
        with door.entered():
            sent = await read_request(request)
            return await anyio.to_thread.run_sync(_answer, answers, sent, work)

    @app.post("/predict", responses=answers_of(Prediction), openapi_extra=BODY, dependencies=asked)
    async def predict(request: Request) -> Response:
        """Return the probability of response by every model, with cautions."""
        read, found = await answered(request, answers.predict)
        audit.note("/predict", answers.digest, _verdict(answers, found), 200, read.source.sha256)
        return JSONResponse(predicted(found))

    @app.post("/inspect", responses=answers_of(dict), openapi_extra=BODY, dependencies=asked)
    async def inspect(request: Request) -> Response:
        """Return what the file holds: recording, quality of each lead, measurements, cautions."""
        read, found = await answered(request, answers.inspect)
        audit.note("/inspect", answers.digest, "read", 200, read.source.sha256)
        return JSONResponse(found)

    @app.post("/measure", responses=answers_of(dict), openapi_extra=BODY, dependencies=asked)
    async def measure(request: Request) -> Response:
        """Return the measurements; null where one is not defined."""
        read, found = await answered(request, answers.measure)
        audit.note("/measure", answers.digest, "read", 200, read.source.sha256)
        return JSONResponse(found)

    @app.get("/healthz")
    async def healthz() -> Health:
        """Say that the server is up, and with which bundle."""
        models = tuple(answers.predictor.models)
        return Health("ok", __version__, answers.digest, models, answers.level)


def _answer(answers: Answers, sent: Sent, work: Callable[[Input], T]) -> tuple[Input, T]:
    read = answers.read(sent)
    return read, work(read)


def _add_page(app: FastAPI, answers: Answers, token: str | None, door: Door) -> None:
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
            with door.entered():
                sent = await read_request(request)
                check_token(request, token, sent.token)
                read, found = await anyio.to_thread.run_sync(_answer, answers, sent, answers.page)
        except Refused as error:
            audit.note("/", answers.digest, "refused", error.status)
            return HTMLResponse(page.refused(error), error.status)
        text = await anyio.to_thread.run_sync(page.answered, found, sent.facts)
        verdict = "refused" if found.prediction is None else _verdict(answers, found.prediction)
        audit.note("/", answers.digest, verdict, 200, read.source.sha256)
        return HTMLResponse(text)


def _verdict(answers: Answers, found: Prediction) -> str:
    short = short_answer(found)
    return "none" if short is None else verdict_of(short, answers.level)


def _add_refusals(app: FastAPI, answers: Answers) -> None:
    def told(status: int, text: str, headers: Mapping[str, str] | None = None) -> JSONResponse:
        return JSONResponse({"detail": text}, status, headers)

    async def refused(request: Request, error: Exception) -> Response:
        assert isinstance(error, Refused)
        audit.note(request.scope["path"][:20], answers.digest, "refused", error.status)
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
