"""A body that cannot be understood is told how to be mended."""

from __future__ import annotations

import json

import pytest

from tests.unit.web.conftest import Api

JSON = {"Content-Type": "application/json"}
TASK = {"customer_id": "1", "script_id": "promotion_001", "number": "13800000001"}


async def asked(
    api: Api, body: str | bytes, headers: dict[str, str], path: str = "/api/v1/call/task"
) -> dict[str, str]:
    answer = await api.ask("POST", path, content=body, headers=headers)
    assert answer.status_code == 422
    (field,) = answer.json()["error"]["fields"]
    return dict(field)


@pytest.mark.parametrize("headers", [{}, {"Content-Type": "application/x-www-form-urlencoded"}])
async def test_a_body_without_its_content_type(api: Api, headers: dict[str, str]) -> None:
    told = await asked(api, json.dumps(TASK), headers)
    assert told == {"field": "body", "reason": "send JSON with the header Content-Type: application/json"}


@pytest.mark.parametrize(
    ("body", "place"),
    [
        ('{"customer_id": "1" "script_id": "x"}', "line 1, column 21: "),
        ('{"customer_id": "张伟",\n "script_id": x}', "line 2, column 15: "),
        ("", ""),
    ],
)
async def test_what_is_no_json_is_told_with_its_place(api: Api, body: str, place: str) -> None:
    told = await asked(api, body.encode(), JSON)
    assert told["field"] == "body"
    assert ("not JSON, " + place in told["reason"]) == bool(place)


async def test_an_unknown_field_is_told_with_the_known_ones(api: Api) -> None:
    told = await asked(api, json.dumps({**TASK, "calltime": "x"}), JSON)
    assert told["field"] == "calltime"
    assert told["reason"].startswith("unknown field; did you mean 'call_time'? known: customer_id, script_id, ")
    told = await asked(api, json.dumps({"numbers": ["123"], "zzz": 1}), JSON, "/api/v1/do-not-call")
    assert told["reason"] == "unknown field; known: numbers, list, source"


async def test_an_unknown_field_further_in(api: Api) -> None:
    sms = [{"outcomes": ["*"], "text": "x", "colour": 1}]
    body = {"campaign_id": "c", "script_id": "promotion_001", "sms": sms}
    assert (await asked(api, json.dumps(body), JSON, "/api/v1/campaigns"))["field"] == "sms.0.colour"
