"""The interpreter over HTTP: what Rasa answers, and everything else that may stand at its address."""

from __future__ import annotations

import asyncio
import base64
import json
from datetime import datetime

import pytest

from agi_bot.contracts import Context, Intent
from agi_bot.errors import InterpreterDown
from agi_bot.nlu import NluData
from agi_bot.nlu.breaker import Breaker
from agi_bot.nlu.fallback import FallbackInterpreter
from agi_bot.nlu.rasa import RasaInterpreter
from agi_bot.nlu.rasa_answer import rerank
from agi_bot.nlu.rasa_client import LARGEST_ANSWER, RasaClient, RasaSettings, admin_jwt
from agi_bot.testing import FakeInterpreter
from tests.unit.nlu.scripted_rasa import Reply, Request, ScriptedRasa, parsed

NOW = datetime.fromisoformat("2026-11-24T09:30:00+08:00")
CONTEXT = Context("zh-CN", NOW)


PATIENT_S = 30.0
"""For machines that are slow at times."""


def interpreter(url: str, timeout_s: float = PATIENT_S) -> RasaInterpreter:
    return RasaInterpreter(RasaSettings(url, timeout_s=timeout_s), NluData(), "zh-CN")


async def ask(reply: Reply, text: str = "好的", context: Context = CONTEXT) -> Intent:
    async with ScriptedRasa(lambda request: reply) as server:
        rasa = interpreter(server.url, 0.3 if reply.delay_s or reply.drip_s else PATIENT_S)
        try:
            return await rasa.interpret(text, context)
        finally:
            await rasa.close()


async def test_the_best_intent_and_the_ranking() -> None:
    intent = await ask(parsed("affirm", 0.8, others={"deny": 0.1}))
    assert (intent.name, intent.engine) == ("affirm", "rasa")
    assert intent.confidence == pytest.approx(0.8)
    assert intent.ranking == (("affirm", 0.8), ("deny", 0.1))


async def test_the_steps_own_intents_are_a_bit_likelier() -> None:
    reply = parsed("deny", 0.46, others={"affirm": 0.44})
    assert (await ask(reply)).name == "deny"
    assert (await ask(reply, context=Context("zh-CN", NOW, ("affirm",)))).name == "affirm"


@pytest.mark.parametrize("name", ["out_of_scope", "nlu_fallback"])
async def test_rejections_of_rasa_are_no_intents(name: str) -> None:
    intent = await ask(parsed(name, 0.9, others={"affirm": 0.05}))
    assert (intent.name, intent.ranking) == ("", (("affirm", 0.05),))


async def test_a_low_confidence_is_not_understood() -> None:
    assert (await ask(parsed("affirm", 0.3))).name == ""


async def test_retrieval_intents_get_their_key() -> None:
    selector = {"faq": {"response": {"intent_response_key": "faq/price"}}, "default": {}}
    body = {"intent": {"name": "faq", "confidence": 0.9}, "entities": [], "response_selector": selector}
    assert (await ask(Reply(json.dumps(body).encode()))).name == "faq/price"


async def test_values_come_from_the_grammar_and_words_from_rasa() -> None:
    wanted = {"when": "datetime", "what": "product"}
    entities = [
        {"entity": "product", "value": "水果", "start": 6, "end": 8},
        {"entity": "colour", "value": "红", "start": 0, "end": 1},
    ]
    intent = await ask(parsed("buy", entities=entities), "后天 下午 三点苹果", Context("zh-CN", NOW, (), wanted))
    assert [(e.kind, e.value, e.text) for e in intent.entities] == [
        ("datetime", datetime(2026, 11, 26, 15, tzinfo=NOW.tzinfo), "后天 下午 三点"),
        ("product", "水果", "苹果"),
    ]


async def test_rasa_gets_tidy_text_over_one_kept_connection() -> None:
    async with ScriptedRasa(lambda request: parsed("affirm")) as server:
        rasa = interpreter(server.url)
        for text in ("好 的。", "OK!"):
            await rasa.interpret(text, CONTEXT)
        await rasa.close()
    assert [request.body for request in server.seen] == [{"text": "好的"}, {"text": "ok"}]
    assert {(request.method, request.path) for request in server.seen} == {("POST", "/model/parse")}
    assert server.connections == 1


@pytest.mark.parametrize("text", ["", "  ", "。？", "[unk]"])
async def test_blank_text_is_never_sent(text: str) -> None:
    async with ScriptedRasa(lambda request: Reply(b"oops", 500)) as server:
        rasa = interpreter(server.url)
        assert await rasa.interpret(text, CONTEXT) == Intent("", engine="rasa")
        await rasa.close()
    assert server.seen == []


@pytest.mark.parametrize(
    ("reply", "message"),
    [
        (Reply(b"<html><body>Welcome to nginx</body></html>"), "not JSON: '<html>"),
        (Reply(b""), "not JSON"),
        (Reply(b"[]"), "the answer is not an object"),
        (Reply(b"null"), "the answer is not an object"),
        (Reply(b"{}"), "intent is not an object"),
        (Reply(b'{"intent": "affirm"}'), "intent is not an object"),
        (Reply(b'{"intent": {"name": "a", "confidence": "high"}}'), "confidence is not between 0 and 1"),
        (Reply(b'{"intent": {"name": "a", "confidence": NaN}}'), "confidence is not between 0 and 1"),
        (Reply(b'{"intent": {"name": "a", "confidence": 7}}'), "confidence is not between 0 and 1"),
        (Reply(b'{"intent": {"name": 3, "confidence": 1}}'), "an intent's name is not text"),
        (Reply(b'{"intent": {"name": "a", "confidence": 1}, "intent_ranking": 1}'), "a list is missing"),
        (Reply(b'{"intent": {"name": "a", "confidence": 1}, "entities": [{}]}'), "no name or no place"),
        (parsed("a", entities=[{"entity": "x", "value": "x", "start": 0, "end": 99}]), "outside the text"),
        (Reply(b"\xff\xfe\x00"), "not JSON"),
        (Reply(b'{"message": "no model"}', 409), "no model loaded"),
        (Reply(b"{}", 401), "refused the token"),
        (Reply(b'{"message": "boom"}', 500), "status 500: boom"),
        (Reply(b"<h1>Bad gateway</h1>", 502), "status 502: <h1>Bad gateway"),
        (Reply(b"x" * (LARGEST_ANSWER + 1)), "larger than 1,000,000 bytes"),
        (Reply(parsed("a").body, delay_s=5), "did not answer within 0.3 s"),
        (Reply(parsed("a").body, drip_s=0.05), "did not answer within 0.3 s"),
        (Reply(parsed("a").body, cut=True), "cannot be reached"),
    ],
)
async def test_nonsense_means_down(reply: Reply, message: str) -> None:
    with pytest.raises(InterpreterDown) as caught:
        await ask(reply)
    assert message in str(caught.value)


async def test_an_empty_name_of_rasa_is_not_understood() -> None:
    assert (await ask(Reply(b'{"intent": {"name": null, "confidence": 0.0}}'))).name == ""


@pytest.mark.parametrize("url", ["http://127.0.0.1:9", "http://[bad", "nonsense"])
async def test_no_server_means_down(url: str) -> None:
    rasa = interpreter(url)
    with pytest.raises(InterpreterDown, match="cannot be reached"):
        await rasa.interpret("好的", CONTEXT)
    await rasa.close()


async def test_a_dead_server_is_left_alone_and_tried_again() -> None:
    alive, now = False, 100.0

    def script(request: Request) -> Reply:
        return parsed("affirm") if alive else Reply(b"", 503)

    async with ScriptedRasa(script) as server:
        settings = RasaSettings(server.url, timeout_s=PATIENT_S, failures=2, rest_s=5)
        rasa = RasaInterpreter(settings, NluData(), "zh-CN", clock=lambda: now)
        for _ in range(5):
            with pytest.raises(InterpreterDown):
                await rasa.interpret("好的", CONTEXT)
        assert len(server.seen) == 2
        alive, now = True, 105.1
        assert (await rasa.interpret("好的", CONTEXT)).name == "affirm"
        assert (await rasa.interpret("好的", CONTEXT)).name == "affirm"
        await rasa.close()


def test_the_breaker_lets_one_request_through_in_each_rest() -> None:
    breaker = Breaker(limit=1, rest_s=5)
    breaker.failed(10)
    assert [breaker.allows(now) for now in (11, 14.9, 15, 15.1, 19.9, 20)] == [False, False, True, False, False, True]
    breaker.succeeded()
    assert breaker.allows(20.1)


async def test_token_and_jwt() -> None:
    async with ScriptedRasa(lambda request: parsed("affirm")) as server:
        for secret in ({"token": "s3&cret"}, {"jwt_secret": "k"}):
            settings = RasaSettings(server.url, timeout_s=PATIENT_S, **secret)  # type: ignore[arg-type]
            async with RasaClient(settings) as client:
                await client.parse("好")
    assert server.seen[0].path == "/model/parse?token=s3%26cret"
    assert server.seen[1].headers["authorization"] == f"Bearer {admin_jwt('k')}"


def test_the_jwt_is_the_one_of_rfc_7515() -> None:
    head, claims, signature = admin_jwt("your-256-bit-secret").split(".")
    assert json.loads(base64.urlsafe_b64decode(head + "==")) == {"alg": "HS256", "typ": "JWT"}
    assert json.loads(base64.urlsafe_b64decode(claims + "=="))["user"]["role"] == "admin"
    assert len(base64.urlsafe_b64decode(signature + "=")) == 32


async def test_fifty_at_once() -> None:
    async with ScriptedRasa(lambda request: parsed("affirm")) as server:
        rasa = RasaInterpreter(RasaSettings(server.url, timeout_s=PATIENT_S), NluData(), "zh-CN")
        intents = await asyncio.gather(*(rasa.interpret("好的", CONTEXT) for _ in range(50)))
        await rasa.close()
    assert {intent.name for intent in intents} == {"affirm"}
    assert server.connections <= 20


def test_reranking_keeps_the_sum() -> None:
    assert rerank([("a", 0.5), ("b", 0.5)], (), 0.5) == [("a", 0.5), ("b", 0.5)]
    again = rerank([("a", 0.5), ("b/x", 0.4), ("c", 0.1)], ("b",), 0.5)
    assert again[0][0] == "b/x"
    assert sum(share for _, share in again) == pytest.approx(1)


async def test_the_second_engine_takes_over_and_says_so(caplog: pytest.LogCaptureFixture) -> None:
    first, second = FakeInterpreter({"好": "affirm"}), FakeInterpreter({"好": Intent("deny", engine="x")})
    both = FallbackInterpreter(first, second)
    assert (await both.interpret("好", CONTEXT)).name == "affirm"
    first.down = "no answer"
    for _ in range(3):
        assert (await both.interpret("好", CONTEXT)).name == "deny"
    first.down = ""
    assert (await both.interpret("好", CONTEXT)).name == "affirm"
    assert [record.message for record in caplog.records if record.levelname == "WARNING"] == ["nlu.fallback"]
    assert both.name == "fake, else fake"


async def test_both_down_is_down() -> None:
    first, second = FakeInterpreter({}), FakeInterpreter({})
    first.down = second.down = "gone"
    with pytest.raises(InterpreterDown, match="gone"):
        await FallbackInterpreter(first, second).interpret("好", CONTEXT)
