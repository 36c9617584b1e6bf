"""What is rendered before a call is what the running bot looks for in it."""

from __future__ import annotations

import random
from datetime import datetime
from pathlib import Path

import pytest

from agi_bot.app.prompts import Prompts, flows_below
from agi_bot.app.voices import VoiceBox, voice_of
from agi_bot.config import Settings
from agi_bot.contracts import Intent, Transcript
from agi_bot.errors import EngineDown, ModelError
from agi_bot.flow import Dialogue, Flow, load
from agi_bot.flow.events import Event, Heard, PromptEnded, RunHook, Say, Silent, Started
from agi_bot.shipped import shipped
from agi_bot.speech.fallback import FallbackVoice
from agi_bot.speech.prompts import CachedVoice, Part, Rendered

NOW = datetime.fromisoformat("2026-11-24T09:30:00+08:00")
SEVERAL_VOICES = """
flow: duet
language: zh-CN
languages: {yue: duet}
start: greet
steps:
  greet:
    say: 您好，这里是市一医院。
    on: {affirm: bill, deny: {say: 好的，再见。, end: done}}
  bill:
    voice: pro_male
    say: 您有一笔账单，您现在方便吗？
    on: {affirm: {say: 谢谢您。, end: done}, deny: greet}
silence: [您能听到吗？, {end: no_response}]
"""


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    own = tmp_path / "voices.yml"
    own.write_text(
        "- {name: ours, language: zh-CN, engine: espeak, speaker: f5, speed: 1.3}\n"
        f"- {{name: model, language: zh-CN, engine: onnx, model: {shipped('models', 'coqui-fixture', 'onnx')}}}\n",
        encoding="utf-8",
    )
    speaking = {
        "cache": tmp_path / "prompts",
        "voices": own,
        "voice": {"zh-CN": "ours", "en": "calm_female", "yue": "calm_female"},
    }
    return Settings.model_validate({"speaking": speaking})


def spoken(flow: Flow, calls: int) -> list[Say]:
    """What the bot says in ``calls`` calls with callers who say anything."""
    intents = [*sorted(flow.intents), "otherwise", ""]
    return [say for seed in range(calls) for say in _call(flow, random.Random(seed), intents)]


def _call(flow: Flow, chance: random.Random, intents: list[str]) -> list[Say]:
    task = {name: spec.example for name, spec in flow.script.task.items() if spec.example is not None}
    dialogue = Dialogue(flow, flow.read_task(task), seed=str(chance.random()))
    said: list[Say] = []
    event: Event = Started(NOW)
    for _ in range(30):
        actions = dialogue.receive(event)
        said += [action for action in actions if isinstance(action, Say)]
        if not actions or any(isinstance(action, RunHook) for action in actions):
            break
        event = Heard(Intent(chance.choice(intents), 1.0), Transcript("", final=True)) if said else Silent()
        event = Silent() if chance.random() < 0.2 else event
        if said:
            dialogue.receive(PromptEnded(said[-1].prompt))
    return said


async def unready(settings: Settings, flow: Flow, said: list[Say]) -> set[str]:
    """Texts that are the same in every call and that a bot started now would have to render."""
    box = VoiceBox(settings)
    find = voice_of(flow, box.find)
    try:
        voices = [(find(say.voice, flow.spoken), say) for say in said]
        return {
            unit.text for voice, say in voices for unit in voice.plan(say.spans) if unit.fixed and not voice.has(unit)
        }
    finally:
        await box.close()


async def render(settings: Settings, flow: Flow, voice: str = "") -> Rendered:
    box = VoiceBox(settings)
    try:
        return await Prompts(box, voice).render(flow)
    finally:
        await box.close()


@pytest.mark.parametrize(
    "name", ["hospital/appointment_reminder", "hospital/appointment_reminder_en", "finance/collection"]
)
async def test_nothing_that_is_said_in_every_call_is_left_to_render(settings: Settings, name: str) -> None:
    flow = load(shipped("flows") / f"{name}.yaml")
    said = spoken(flow, 40)
    assert len({say.text for say in said}) > 10
    assert await unready(settings, flow, said)
    done = await render(settings, flow)
    assert done.failed == []
    assert await unready(settings, flow, said) == set()


async def test_each_step_is_rendered_in_its_own_voice_and_in_the_flows_dialects(
    settings: Settings, tmp_path: Path
) -> None:
    path = tmp_path / "duet.yaml"
    path.write_text(SEVERAL_VOICES, encoding="utf-8")
    flow = load(path)
    await render(settings, flow)
    said = spoken(flow, 20)
    assert {say.voice for say in said} == {"", "pro_male"}
    assert await unready(settings, flow, said) == set()
    cantonese = flow.in_tongue(flow.wish({"language": "yue"}))
    assert await unready(settings, cantonese, said) == set()


async def test_the_voice_of_a_tasks_data_can_be_rendered_as_well(settings: Settings) -> None:
    flow = load(shipped("flows") / "hospital/appointment_reminder.yaml")
    said = spoken(flow, 5)
    await render(settings, flow)
    theirs = flow.in_tongue(flow.wish({"voice": "pro_male"}))
    assert await unready(settings, theirs, said)
    await render(settings, flow, "pro_male")
    assert await unready(settings, theirs, said) == set()


async def test_a_voice_with_a_model_of_its_own_is_rendered_before_it_is_needed(settings: Settings) -> None:
    box = VoiceBox(settings)
    try:
        voice = box.find("model", "zh-CN")
        assert isinstance(voice, FallbackVoice)
        spans = [Part("您好，"), Part("张伟", fixed=False), Part("，请您空腹前来。")]
        await voice.render([spans], keep=False)
        assert await voice.ready(spans)
        heard = [frame async for frame in voice.speak_parts(spans)]
        assert heard
        found = box.readiness["onnx model"]
        assert (found.waited, found.share) == (0, 1.0)
        assert found.ready > 0
    finally:
        await box.close()


class Broken:
    name = key = "broken"
    rate, language = 8000, "zh-CN"

    def __init__(self, error: Exception) -> None:
        self.error, self.asked = error, 0

    async def speak(self, _text: str):  # type: ignore[no-untyped-def]
        self.asked += 1
        raise self.error
        yield


@pytest.mark.parametrize(("error", "asked"), [(ModelError("no model"), 1), (EngineDown("it is down"), 3)])
async def test_a_voice_that_is_down_is_not_asked_for_every_text(error: Exception, asked: int) -> None:
    broken = Broken(error)
    with pytest.raises(type(error)):
        await CachedVoice(broken, None).render([f"第{number}句。" for number in range(50)])
    assert broken.asked == asked


def test_ready_counts_what_lies_in_the_cache(settings: Settings) -> None:
    flow = load(shipped("flows") / "hospital/appointment_reminder.yaml")
    found = Prompts(VoiceBox(settings)).ready(flow)
    assert found.ready == 0
    assert found.share == 0.0
    assert 20 < found.fixed < found.units


def test_flows_are_found_below_a_folder_and_tests_are_not() -> None:
    found = flows_below([shipped("flows") / "hospital"])
    assert "appointment_reminder" in {path.stem for path in found}
    assert all("tests" not in path.parts for path in found)
