"""Against a real Rasa server with a model trained in the test from our own nlu.yml."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest

from agi_bot.contracts import Context
from agi_bot.errors import InterpreterDown
from agi_bot.nlu import NluData, load_embedded
from agi_bot.nlu.fallback import FallbackInterpreter
from agi_bot.nlu.rasa import RasaInterpreter
from agi_bot.nlu.rasa_client import RasaClient
from agi_bot.shipped import shipped
from tests.integration.rasa.conftest import LANGUAGE, Server

pytestmark = pytest.mark.rasa

NOW = datetime.fromisoformat("2026-11-24T09:30:00+08:00")
CONTEXT = Context(LANGUAGE, NOW, ("affirm", "deny", "reschedule"), {"new_time": "datetime"})
HELD_OUT = Path(__file__).parents[2] / "data" / "nlu"


@pytest.fixture
async def rasa(rasa_server: Server, rasa_data: NluData) -> AsyncIterator[RasaInterpreter]:
    interpreter = RasaInterpreter(rasa_server.settings, rasa_data, LANGUAGE)
    yield interpreter
    await interpreter.close()


async def test_the_patient_of_the_demo(rasa: RasaInterpreter) -> None:
    intent = await rasa.interpret("我那天没空 能改到 后天 下午 三点 吗", CONTEXT)
    assert (intent.name, intent.engine) == ("reschedule", "rasa")
    (entity,) = intent.entities
    assert entity.value == datetime(2026, 11, 26, 15, tzinfo=NOW.tzinfo)
    assert (await rasa.interpret("对", CONTEXT)).name == "affirm"


async def test_unseen_phrases(rasa: RasaInterpreter) -> None:
    held_out = NluData.load([HELD_OUT / f"heldout.{LANGUAGE}.yml"]).all_examples
    plain = Context(LANGUAGE, NOW)
    best = [(await rasa.interpret(example.text, plain)).ranking[:1] for example in held_out]
    right = [bool(top) and top[0][0] == e.intent for top, e in zip(best, held_out, strict=True)]
    assert sum(right) / len(right) > 0.85


async def test_other_speech_is_rejected(rasa: RasaInterpreter) -> None:
    lines = (HELD_OUT / f"outofscope.{LANGUAGE}.txt").read_text(encoding="utf-8").splitlines()
    outside = [line for line in lines if line[:1] != "#"]
    rejected = [(await rasa.interpret(text, Context(LANGUAGE, NOW))).name == "" for text in outside]
    assert sum(rejected) / len(rejected) > 0.85


async def test_version_and_status(rasa_server: Server) -> None:
    async with RasaClient(rasa_server.settings) as client:
        assert (await client.version()).startswith("3.")
        assert str((await client.status())["model_file"]).endswith(rasa_server.model.name)


async def test_a_wrong_token_is_named(rasa_server: Server, rasa_data: NluData) -> None:
    stranger = RasaInterpreter(replace(rasa_server.settings, token="wrong"), rasa_data, LANGUAGE)
    with pytest.raises(InterpreterDown, match="refused the token"):
        await stranger.interpret("好的", CONTEXT)
    await stranger.close()


async def test_fifty_calls_at_once(rasa: RasaInterpreter) -> None:
    texts = ["好的", "我要转人工", "多少钱", "别再打了", "改个时间"] * 10
    names = [intent.name for intent in await asyncio.gather(*(rasa.interpret(text, CONTEXT) for text in texts))]
    assert names == ["affirm", "transfer_human", "price", "stop_calling", "reschedule"] * 10


async def test_the_grammar_of_odd_text_is_no_trouble(rasa: RasaInterpreter) -> None:
    for text in ("\x00\x07", "🙂", "a{slot}b", "<xml/>", "好" * 5000, '"} {"intent"'):
        assert (await rasa.interpret(text, CONTEXT)).engine == "rasa"


async def test_a_new_model_is_loaded_while_calls_go_on(rasa_server: Server, rasa_data: NluData) -> None:
    quick = RasaInterpreter(replace(rasa_server.settings, timeout_s=0.8), rasa_data, LANGUAGE)
    both = FallbackInterpreter(quick, load_embedded([shipped("flows", "shared")], LANGUAGE))
    async with RasaClient(rasa_server.settings) as admin:
        loading = asyncio.create_task(admin.load(str(rasa_server.model)))
        engines = []
        while not loading.done():
            intent = await both.interpret("我要转人工", CONTEXT)
            assert intent.name == "transfer_human"
            engines.append(intent.engine)
            await asyncio.sleep(0.05)
        await loading
        await admin.parse("好")
    await asyncio.sleep(0.3)
    assert (await both.interpret("我要转人工", CONTEXT)).engine == "rasa"
    assert engines
    await quick.close()


async def test_a_killed_server_costs_no_turn_and_comes_back(rasa_server: Server, rasa_data: NluData) -> None:
    quick = RasaInterpreter(replace(rasa_server.settings, timeout_s=0.8), rasa_data, LANGUAGE)
    both = FallbackInterpreter(quick, load_embedded([shipped("flows", "shared")], LANGUAGE))
    assert (await both.interpret("多少钱", CONTEXT)).engine == "rasa"
    rasa_server.kill()
    for _ in range(5):
        intent = await both.interpret("多少钱", CONTEXT)
        assert (intent.name, intent.engine) == ("price", "embedded")
    await asyncio.to_thread(rasa_server.start)
    await asyncio.sleep(0.3)
    intent = await both.interpret("多少钱", CONTEXT)
    assert (intent.name, intent.engine) == ("price", "rasa")
    await quick.close()
