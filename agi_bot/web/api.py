"""The application: every router, and one form for everything that goes wrong."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from typing import Any

from fastapi import Depends, FastAPI, HTTPException, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException as BareHTTPException

from agi_bot import __version__
from agi_bot.campaign.intake import Problem, Refused
from agi_bot.campaign.office import Office
from agi_bot.errors import AgiBotError
from agi_bot.web import appointments, calls, campaigns, outbox, people, results, tasks, watch
from agi_bot.web.doors import Desk, Options, error_body, known_query
from agi_bot.web.forms import ErrorAnswer
from agi_bot.web.guard import App, Guard
from agi_bot.web.live import Live
from agi_bot.web.mistakes import mistakes, unread
from agi_bot.web.paths import nowhere

__all__ = ["Options", "application"]

log = logging.getLogger(__name__)

PREFIX = "/api/v1"
_ERRORS: dict[int | str, dict[str, Any]] = {
    status: {"model": ErrorAnswer} for status in (400, 401, 403, 404, 409, 413, 422, 429)
}


def application(office: Office, live: Live, options: Options) -> App:
    """The ASGI application; a body that is too long or too deep never reaches it."""
    return Guard(open_application(office, live, options), options.max_body)


def open_application(office: Office, live: Live, options: Options) -> FastAPI:
    """The same without the guard: for its OpenAPI description."""
    app = FastAPI(title="agi-bot", version=__version__, redoc_url=None, docs_url=None, openapi_url="/openapi.json")
    app.state.desk = Desk(office, live, options)
    app.include_router(watch.router)
    for module in (tasks, appointments, campaigns, results, people, calls, outbox):
        app.include_router(module.router, prefix=PREFIX, responses=_ERRORS, dependencies=[Depends(known_query)])
    app.add_exception_handler(RequestValidationError, _not_understood)
    app.add_exception_handler(Refused, _refused)
    app.add_exception_handler(AgiBotError, _failed)
    app.add_exception_handler(BareHTTPException, _http)
    return app


async def _not_understood(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    return _answer(422, "the request cannot be understood", await mistakes(request, error))


async def _refused(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, Refused)
    return _answer(422, error.message, error.problems)


async def _failed(request: Request, error: Exception) -> JSONResponse:
    log.error("web.failed", extra={"path": request.url.path, "reason": str(error)})
    return _answer(503, "agi-bot cannot do this now; its log says why")


async def _http(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, BareHTTPException)
    detail: Any = error.detail
    body = {"error": detail} if isinstance(detail, dict) else await _bare(request, error)
    headers = error.headers if isinstance(error, HTTPException) else None
    return JSONResponse(body, error.status_code, headers=dict(headers or {}))


async def _bare(request: Request, error: BareHTTPException) -> dict[str, Any]:
    """The framework's own refusals, told so that they help."""
    if error.status_code in (404, 405):
        # Described once, which takes longer than a call's sound can wait.
        described = await asyncio.to_thread(request.app.openapi)
        return error_body(nowhere(request.method, request.url.path, described["paths"]))
    if error.status_code == 400:
        return error_body("the body cannot be read", await unread(request))
    return error_body(str(error.detail))


def _answer(status: int, message: str, fields: Sequence[Problem] = ()) -> JSONResponse:
    safe = [Problem(_clean(one.field), _clean(one.reason)) for one in fields]
    return JSONResponse(error_body(_clean(message), safe), status)


def _clean(text: str) -> str:
    """Half of a surrogate pair cannot be sent as UTF-8."""
    return text.encode("utf-8", "replace").decode()
