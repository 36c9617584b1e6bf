"""HTTP hooks: what goes out, what comes back, and every way in which an address can fail."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Mapping
from datetime import date, datetime
from decimal import Decimal

import httpx
import pytest

from agi_bot.address import Target
from agi_bot.contracts import Value
from agi_bot.conversation import Address, HookError, HttpHooks
from agi_bot.conversation.hooks import MAX_ANSWER, run_with_retries

Respond = Callable[[httpx.Request], httpx.Response]


def hooks(respond: Respond) -> HttpHooks:
    client = httpx.AsyncClient(transport=httpx.MockTransport(respond))
    return HttpHooks({"crm.find": Address("http://crm.test/find", {"Authorization": "Bearer x"})}, client, looked_up)


async def looked_up(url: str, allow_private: bool) -> Target:
    return Target(url, "crm.test", "192.0.2.7")


async def ask(respond: Respond, **arguments: Value) -> Mapping[str, Value]:
    return await hooks(respond).run("crm.find", arguments)


async def test_typed_values_go_out_as_json() -> None:
    seen: list[httpx.Request] = []

    def respond(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(200, json={"tier": "gold", "points": 12, "vip": True})

    answer = await ask(respond, when=datetime(2026, 11, 26, 15), day=date(2026, 1, 2), sum=Decimal("9.90"), name="张伟")
    assert answer == {"tier": "gold", "points": 12, "vip": True}
    assert json.loads(seen[0].content) == {
        "when": "2026-11-26T15:00:00",
        "day": "2026-01-02",
        "sum": "9.90",
        "name": "张伟",
    }
    assert seen[0].headers["Authorization"] == "Bearer x"
    assert (seen[0].url.host, seen[0].headers["Host"]) == ("192.0.2.7", "crm.test"), "to the address that was checked"


async def test_an_empty_answer_is_no_values() -> None:
    assert await ask(lambda _: httpx.Response(204)) == {}


async def test_what_is_no_plain_value_is_left_out() -> None:
    assert await ask(lambda _: httpx.Response(200, json={"a": [1], "b": {"c": 1}, "d": None, "e": "x"})) == {"e": "x"}


async def test_half_an_emoji_is_made_whole() -> None:
    body = rb'{"name": "\u5c0f\u660e\ud83d", "mood": "\ud83d\ude00"}'
    assert await ask(lambda _: httpx.Response(200, content=body)) == {"name": "小明\ufffd", "mood": "😀"}


@pytest.mark.parametrize(
    ("response", "word"),
    [
        (httpx.Response(500), "500"),
        (httpx.Response(302, headers={"Location": "http://elsewhere.test"}), "302"),
        (httpx.Response(200, text="<html>login</html>"), "not JSON"),
        (httpx.Response(200, json=[1, 2]), "not a JSON object"),
        (httpx.Response(200, content=b"x" * (MAX_ANSWER + 1)), "bytes"),
    ],
)
async def test_an_answer_that_cannot_be_used(response: httpx.Response, word: str) -> None:
    with pytest.raises(HookError, match=word):
        await ask(lambda _: response)


@pytest.mark.parametrize("failure", [httpx.ConnectError("refused"), httpx.ReadTimeout("late")])
async def test_an_address_that_cannot_be_reached(failure: httpx.HTTPError) -> None:
    def respond(_: httpx.Request) -> httpx.Response:
        raise failure

    with pytest.raises(HookError, match=r"crm\.find: (refused|late)"):
        await ask(respond)


@pytest.mark.parametrize(
    "url",
    ["http://127.0.0.1:9/x", "http://localhost:9/x", "http://10.0.0.1/", "http://[::ffff:10.0.0.1]/", "file:///x"],
)
async def test_an_address_of_a_private_network_is_refused_unless_it_is_allowed(url: str) -> None:
    def respond(_: httpx.Request) -> httpx.Response:
        return httpx.Response(200, json={"ok": True})

    client = httpx.AsyncClient(transport=httpx.MockTransport(respond))
    with pytest.raises(HookError) as caught:
        await HttpHooks({"a": Address(url)}, client).run("a", {})
    assert caught.value.cure
    if not url.startswith("file"):
        assert await HttpHooks({"a": Address(url, allow_private=True)}, client).run("a", {}) == {"ok": True}


async def test_a_name_that_is_not_found_is_told() -> None:
    async def nowhere(url: str, allow_private: bool) -> Target:
        raise OSError("Name or service not known")

    with pytest.raises(HookError, match="not known"):
        await HttpHooks({"a": Address("http://a.test/")}, resolve=nowhere).run("a", {})


async def test_an_unknown_hook_names_the_cure() -> None:
    with pytest.raises(HookError) as caught:
        await hooks(lambda _: httpx.Response(200)).run("erp.find", {})
    assert "agi-bot.yml" in caught.value.cure


@pytest.mark.parametrize(("failures", "retries", "works"), [(0, 0, True), (1, 1, True), (2, 1, False), (1, 0, False)])
async def test_retries(failures: int, retries: int, works: bool) -> None:
    asked = 0

    def respond(_: httpx.Request) -> httpx.Response:
        nonlocal asked
        asked += 1
        return httpx.Response(503 if asked <= failures else 200, json={"ok": True})

    running = run_with_retries(hooks(respond), "crm.find", {}, timeout_s=1, retries=retries)
    if works:
        assert await running == {"ok": True}
        assert asked == failures + 1
    else:
        with pytest.raises(HookError, match="503"):
            await running
        assert asked == retries + 1


async def test_a_hook_that_does_not_exist_is_asked_once(caplog: pytest.LogCaptureFixture) -> None:
    nothing = hooks(lambda _: httpx.Response(200))
    with caplog.at_level(logging.WARNING), pytest.raises(HookError, match="no address"):
        await run_with_retries(nothing, "erp.find", {}, timeout_s=1, retries=3, told={"call_id": "id-1"})
    (record,) = [record for record in caplog.records if record.message == "hook.failed"]
    assert (record.__dict__["call_id"], record.__dict__["retries_left"]) == ("id-1", 0)
