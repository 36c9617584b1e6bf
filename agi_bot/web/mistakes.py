"""What is wrong with a body, in words that help who sent it."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from typing import Any

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel

from agi_bot.campaign.intake import Problem
from agi_bot.written import encoding_slip, narrow


async def mistakes(request: Request, error: RequestValidationError) -> list[Problem]:
    """A problem for each error of ``error``, the field's name first."""
    return [await _mistake(request, one) for one in error.errors()]


async def _mistake(request: Request, one: Mapping[str, Any]) -> Problem:
    loc = [str(part) for part in one["loc"] if part not in ("body", "query", "path", "header")]
    if one["type"] == "json_invalid":
        return Problem("body", _not_json(await request.body(), one))
    if one["loc"] == ("body",) and not _is_json(request):
        return Problem("body", "send JSON with the header Content-Type: application/json")
    if one["type"] == "extra_forbidden" and len(loc) == 1:
        return Problem(loc[0], _unknown(loc[0], _fields(request)))
    return Problem(".".join(loc) or "body", _meant(one, loc))


_FORMS: Mapping[str, str] = {
    "string_type": "text is wanted, in quotes",
    "int_type": "a whole number is wanted, without quotes",
    "float_type": "a number is wanted, without quotes",
    "bool_type": "true or false is wanted, without quotes",
    "list_type": "a list is wanted, in [ ]",
    "dict_type": "an object is wanted, in { }",
    "missing": "is missing",
}


def _meant(one: Mapping[str, Any], loc: list[str]) -> str:
    kind, given = one["type"], one.get("input")
    if kind == "model_attributes_type" and not loc:
        return "one object { } is wanted; a list of people goes to /api/v1/campaigns/{campaign_id}/import"
    if kind == "string_type" and isinstance(given, int):
        return f'text is wanted, in quotes: "{given}"'
    if kind == "too_short":
        return "the list is empty"
    return _FORMS.get(kind, str(one["msg"]).replace("Input should be", "should be"))


async def unread(request: Request) -> list[Problem]:
    """Why the body of ``request`` could not even be read."""
    slip = encoding_slip(await request.body())
    return [Problem("body", f"line {slip.line}, column {slip.column}: not UTF-8; send JSON in UTF-8")] if slip else []


def _is_json(request: Request) -> bool:
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    return kind.endswith(("/json", "+json"))


def _not_json(body: bytes, one: Mapping[str, Any]) -> str:
    """The position in ``one`` counts characters."""
    before = body.decode("utf-8", "replace")[: int(one["loc"][-1])]
    line, column = before.count("\n") + 1, len(before) - before.rfind("\n")
    rest = body.decode("utf-8", "replace")[len(before) :].lstrip(" ")
    said = one.get("ctx", {}).get("error", one["msg"])
    if half := narrow(rest[:1]):
        said = f"{rest[0]} is a full-width sign, write {half}"
    return f"not JSON, line {line}, column {column}: {said}"


def _fields(request: Request) -> list[str]:
    """Those of the body that the route takes."""
    body = request.scope["route"].body_field
    model = body.field_info.annotation if body is not None else None
    if not (isinstance(model, type) and issubclass(model, BaseModel)):
        return []
    return [info.alias or name for name, info in model.model_fields.items()]


def _unknown(name: str, known: list[str]) -> str:
    near = difflib.get_close_matches(name, known, n=1)
    meant = f"did you mean '{near[0]}'? " if near else ""
    return f"unknown field; {meant}known: {', '.join(known)}" if known else "unknown field"
