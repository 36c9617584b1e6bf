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
        ('{"customer_id"： "1"}', "line 1, column 15: ： is a full-width sign, write :"),
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


async def test_a_body_in_another_encoding(api: Api) -> None:
    answer = await api.ask("POST", "/api/v1/call/task", content='{"customer_id":"张"}'.encode("gbk"), headers=JSON)
    assert answer.status_code == 400
    assert answer.json()["error"]["fields"] == [
        {"field": "body", "reason": "line 1, column 17: not UTF-8; send JSON in UTF-8"}
    ]


@pytest.mark.parametrize(
    ("body", "path", "field", "reason"),
    [
        ({**TASK, "number": 13800000001}, "call/task", "number", 'text is wanted, in quotes: "13800000001"'),
        ({**TASK, "priority": "1"}, "call/task", "priority", "a whole number is wanted, without quotes"),
        ({**TASK, "data": []}, "call/task", "data", "an object is wanted, in { }"),
        ({"script_id": "promotion_001"}, "call/task", "customer_id", "is missing"),
        ([TASK], "call/task", "body", "one object { } is wanted; a list of people goes to /api/v1/campaigns/"),
        ({"numbers": []}, "do-not-call", "numbers", "the list is empty"),
        ({**TASK, "script_id": "promotion_01"}, "call/task", "script_id", "did you mean 'promotion_001'?"),
        ({**TASK, "script_id": "x"}, "call/task", "script_id", "there are: promotion_001"),
        (
            {"campaign_id": "c", "script_id": "promotion_001", "retries": {"bussy": [3, 10]}},
            "campaigns",
            "retries.bussy",
            "did you mean 'busy'? known: busy, no_answer,",
        ),
    ],
)
async def test_a_wrong_value_is_told_with_its_form(api: Api, body: object, path: str, field: str, reason: str) -> None:
    told = await asked(api, json.dumps(body), JSON, f"/api/v1/{path}")
    assert told["field"] == field
    assert reason in told["reason"]


@pytest.mark.parametrize(
    ("method", "path", "status", "told"),
    [
        ("GET", "call/task", 405, "/api/v1/call/task takes POST, not GET"),
        ("POST", "call/tasks", 404, "there is no /api/v1/call/tasks; did you mean /api/v1/call/task?"),
        ("POST", "tasks/7/cancle", 404, "did you mean /api/v1/tasks/{task_id}/cancel?"),
        ("DELETE", "tasks/7", 405, "/api/v1/tasks/7 takes GET, not DELETE"),
        ("GET", "customers/1/tags", 405, "takes PUT, not GET"),
        ("GET", "nothing/of/the/kind", 404, "docs/api.md and /openapi.json list all requests"),
    ],
)
async def test_a_request_that_leads_nowhere(api: Api, method: str, path: str, status: int, told: str) -> None:
    answer = await api.ask(method, f"/api/v1/{path}")
    assert answer.status_code == status
    assert told in answer.json()["error"]["message"]
