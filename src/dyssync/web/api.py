"""The API: what a hospital's engineer connects, JSON above all."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeAlias, TypeVar

import anyio.to_thread
from fastapi import Depends, FastAPI
from fastapi.responses import JSONResponse
from fastapi.security import HTTPBearer
from starlette.requests import Request
from starlette.responses import Response

from dyssync import __version__
from dyssync.exports import EXPORTS, Case
from dyssync.image import Input
from dyssync.prediction.predictor import Prediction
from dyssync.prediction.short import short_answer
from dyssync.web import audit, hooks
from dyssync.web.answers import Answers
from dyssync.web.asking import wants_all
from dyssync.web.guard import Door, check_token
from dyssync.web.levels import verdict_of
from dyssync.web.negotiation import FHIR, JSON, PDF, best_offer
from dyssync.web.published import (
    BODY,
    CHOICE_OF_MODELS,
    NOT_OFFERED,
    OTHER_KINDS,
    Health,
    answers_of,
    predicted,
    predictions,
)
from dyssync.web.refusals import Refused
from dyssync.web.uploads import Sent, read_call, read_request

T = TypeVar("T")
Reading: TypeAlias = Callable[[Request], Awaitable[Sent]]
EXPORTED = {FHIR: "fhir", PDF: "pdf"}  # name of the export by kind of answer


@dataclass(frozen=True)
class Desk:
    """Where requests come in.

    Attributes:
        answers: of one bundle.
        token: that a request must bring; None answers everybody.
        door: how many are let in at once.
    """

    answers: Answers
    token: str | None
    door: Door

    async def answered(
        self, request: Request, work: Callable[[Input], T], read: Reading = read_request
    ) -> tuple[Input, T]:
        """Return what was sent, and what `work` makes of it.

        Raises:
            Refused: whatever is wrong.
        """
        check_token(request, self.token)
        with self.door.entered():
            sent = await read(request)
            return await self.worked(sent, work)

    async def worked(self, sent: Sent, work: Callable[[Input], T]) -> tuple[Input, T]:
        """Return the same of what was read already; in a thread, so that others are heard."""
        return await anyio.to_thread.run_sync(_answer, self.answers, sent, work)

    def note(self, route: str, verdict: str, read: Input) -> None:
        """Write what was answered to the audit log."""
        audit.note(route, self.answers.digest, verdict, 200, read.source.sha256)

    def verdict_on(self, found: Prediction) -> str:
        """Return what the audit log says of a prediction."""
        short = short_answer(found)
        return "none" if short is None else verdict_of(short, self.answers.level)

    @property
    def described(self) -> list[Any]:
        """What the description of the API says of the token."""
        return [] if self.token is None else [Depends(HTTPBearer(auto_error=False))]


def add_api(app: FastAPI, desk: Desk) -> None:
    """Add `/predict`, `/inspect`, `/measure` and `/healthz`."""
    answers, asked = desk.answers, desk.described

    described = {**BODY, **CHOICE_OF_MODELS}

    @app.post("/predict", responses=predictions(), openapi_extra=described, dependencies=asked)
    async def predict(request: Request) -> Response:
        """Return the probability of response by every model, or of the one answer, with cautions.

        By the header Accept, the one answer as a FHIR Bundle or as a page of PDF instead.
        """
        kind = best_offer(request.headers.get("accept"), (JSON, *OTHER_KINDS))
        if kind is None:
            raise Refused(406, NOT_OFFERED)
        every = wants_all(request, usually=True)
        if kind == JSON:
            read, found = await desk.answered(request, partial(answers.predict, every=every))
            said: Response = JSONResponse(predicted(found))
        else:
            work = partial(_exported, answers, EXPORTS[EXPORTED[kind]])
            read, (found, made) = await desk.answered(request, work)
            said = Response(made, media_type=kind)
        desk.note("/predict", desk.verdict_on(found), read)
        return said

    @app.post("/inspect", responses=answers_of(dict), openapi_extra=BODY, dependencies=asked)
    async def inspect(request: Request) -> Response:
        """Return what the file holds: recording, quality of each lead, measurements, cautions."""
        read, found = await desk.answered(request, answers.inspect)
        desk.note("/inspect", "read", read)
        return JSONResponse(found)

    @app.post("/measure", responses=answers_of(dict), openapi_extra=BODY, dependencies=asked)
    async def measure(request: Request) -> Response:
        """Return the measurements; null where one is not defined."""
        read, found = await desk.answered(request, answers.measure)
        desk.note("/measure", "read", read)
        return JSONResponse(found)

    @app.get("/healthz")
    async def healthz() -> Health:
        """Say that the server is up, and with which bundle."""
        models = tuple(answers.predictor.models)
        return Health("ok", __version__, answers.digest, models, answers.level)


def add_hooks(app: FastAPI, desk: Desk) -> None:
    """Add the service of CDS Hooks, and what tells of it."""

    @app.get(hooks.SERVICES)
    async def services() -> dict[str, Any]:
        """Say which services of CDS Hooks there are."""
        return hooks.DISCOVERY

    @app.post(
        hooks.ROUTE, responses=hooks.ANSWERS, openapi_extra=hooks.BODY, dependencies=desk.described
    )
    async def call(request: Request) -> Response:
        """Return one card of information: the one answer to the ECG in the prefetch."""
        read, case = await desk.answered(request, desk.answers.case, read_call)
        desk.note(hooks.ROUTE, desk.verdict_on(case.prediction), read)
        return JSONResponse(hooks.card_of(case))


def _exported(
    answers: Answers, export: Callable[[Case], bytes], read: Input
) -> tuple[Prediction, bytes]:
    case = answers.case(read)
    return case.prediction, export(case)


def _answer(answers: Answers, sent: Sent, work: Callable[[Input], T]) -> tuple[Input, T]:
    read = answers.read(sent)
    return read, work(read)
