"""What every interpreter promises: the fake one, the embedded one, Rasa over HTTP, and one with a fallback."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from functools import cache

import pytest

from agi_bot.contracts import Context, Intent, Interpreter
from agi_bot.errors import InterpreterDown
from agi_bot.nlu import NluData, load_embedded
from agi_bot.nlu.fallback import FallbackInterpreter
from agi_bot.nlu.rasa import RasaInterpreter
from agi_bot.nlu.rasa_client import RasaSettings
from agi_bot.shipped import shipped
from agi_bot.testing import FakeInterpreter
from tests.unit.nlu.scripted_rasa import Reply, Request, ScriptedRasa, parsed

NOW = datetime.fromisoformat("2026-11-24T09:30:00+08:00")
CONTEXT = Context("zh-CN", NOW, ("affirm", "deny"), {"when": "datetime"})
YES, NO, OTHER = "对", "不是", "隔壁新开了家奶茶店"


def answers(request: Request) -> Reply:
    assert isinstance(request.body, dict)
    known = {YES: "affirm", NO: "deny"}
    return parsed(known.get(request.body["text"], "out_of_scope"))


@asynccontextmanager
async def fake() -> AsyncIterator[Interpreter]:
    yield FakeInterpreter({YES: "affirm", NO: "deny"})


@cache
def trained() -> Interpreter:
    """Trained once: it keeps nothing of what it is asked."""
    return load_embedded([shipped("flows", "shared")], "zh-CN")


@asynccontextmanager
async def embedded() -> AsyncIterator[Interpreter]:
    yield trained()


@asynccontextmanager
async def rasa() -> AsyncIterator[Interpreter]:
    async with ScriptedRasa(answers) as server:
        interpreter = RasaInterpreter(RasaSettings(server.url, timeout_s=5), NluData(), "zh-CN")
        yield interpreter
        await interpreter.close()


@asynccontextmanager
async def fallback() -> AsyncIterator[Interpreter]:
    dead = RasaInterpreter(RasaSettings("http://127.0.0.1:9"), NluData(), "zh-CN")
    async with embedded() as second:
        yield FallbackInterpreter(dead, second)
    await dead.close()


@pytest.fixture(params=[fake, embedded, rasa, fallback], ids=lambda make: make.__name__)
async def interpreter(request: pytest.FixtureRequest) -> AsyncIterator[Interpreter]:
    async with request.param() as made:
        yield made


async def test_it_has_a_name(interpreter: Interpreter) -> None:
    assert interpreter.name.strip()


async def test_it_understands(interpreter: Interpreter) -> None:
    for text, name in ((YES, "affirm"), (NO, "deny")):
        intent = await interpreter.interpret(text, CONTEXT)
        assert intent.name == name
        assert 0 < intent.confidence <= 1
        assert intent.engine


async def test_what_is_not_understood_has_no_name(interpreter: Interpreter) -> None:
    assert (await interpreter.interpret(OTHER, CONTEXT)).name == ""


@pytest.mark.parametrize("text", ["", "  \n", "。。。", "[unk]"])
async def test_nothing_said_is_not_an_error(text: str, interpreter: Interpreter) -> None:
    intent = await interpreter.interpret(text, CONTEXT)
    assert (intent.name, intent.entities) == ("", ())


@pytest.mark.parametrize("text", ["好" * 5000, "\x00\x07", "🙂🙂", "a{slot}b", "𠮷" * 30, "<xml/>", "' OR 1=1 --"])
async def test_any_text_is_answered(text: str, interpreter: Interpreter) -> None:
    assert isinstance(await interpreter.interpret(text, CONTEXT), Intent)


async def test_places_of_entities_are_those_of_the_text(interpreter: Interpreter) -> None:
    text = "嗯， 后天 下午 三点。"
    for entity in (await interpreter.interpret(text, CONTEXT)).entities:
        assert text[entity.start : entity.end] == entity.text


async def test_the_ranking_is_sorted(interpreter: Interpreter) -> None:
    shares = [share for _, share in (await interpreter.interpret(YES, CONTEXT)).ranking]
    assert shares == sorted(shares, reverse=True)


async def test_many_at_once_do_not_mix(interpreter: Interpreter) -> None:
    texts = [YES, NO] * 20
    intents = await asyncio.gather(*(interpreter.interpret(text, CONTEXT) for text in texts))
    assert [intent.name for intent in intents] == ["affirm", "deny"] * 20


async def test_an_interpreter_that_is_down_says_so() -> None:
    gone = FakeInterpreter({})
    gone.down = "switched off"
    dead = RasaInterpreter(RasaSettings("http://127.0.0.1:9"), NluData(), "zh-CN")
    for interpreter in (gone, dead):
        with pytest.raises(InterpreterDown):
            await interpreter.interpret(YES, CONTEXT)
    await dead.close()
