"""The ear, the mind and the voice of a call go together, also where its task asks for another language."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from agi_bot.app.checkup import dialects
from agi_bot.app.voices import VoiceBox
from agi_bot.app.workshop import Workshop
from agi_bot.config import Settings
from agi_bot.flow import Flow, TaskError, load_text
from agi_bot.flow.tongue import Tongue
from agi_bot.shipped import shipped

SOURCE = """
flow: remind
language: zh-CN
voice: calm_female
start: greet
steps:
  greet: {say: 您好。, ask: 能来吗？, on: {affirm: bye, deny: bye}}
  bye: {say: 再见。, voice: VOICE, end: done}
"""


def flow(step_voice: str = "pro_male", **wish: str) -> Flow:
    return load_text(SOURCE.replace("VOICE", step_voice), Path("remind.yaml")).in_tongue(Tongue(**wish))


@pytest.fixture
async def workshop(tmp_path: Path) -> AsyncIterator[Workshop]:
    demo = str(shipped("models", "demo"))
    made = Workshop(
        Settings.model_validate(
            {"speaking": {"cache": tmp_path / "prompts"}, "hearing": {"models": {"yue": demo, "de": demo}}}
        )
    )
    yield made
    await made.close()


def test_a_task_without_wishes_always_fits(workshop: Workshop) -> None:
    workshop.fits(flow("nobody"))


def test_several_voices_in_one_flow_and_in_its_dialect(workshop: Workshop) -> None:
    for wish, names in (({}, ("cmn+f3", "cmn+m3")), ({"language": "yue"}, ("yue+f3", "yue+m3"))):
        asked = flow(**wish)
        workshop.fits(asked)
        found = [workshop.voice(asked)(name, asked.spoken).name for name in ("calm_female", "pro_male")]
        assert [name.split()[-1] for name in found] == list(names)


def test_the_tasks_voice_stands_in_for_the_flows_own_and_not_for_a_steps(workshop: Workshop) -> None:
    asked = flow("lively_female", voice="deep_male")
    workshop.fits(asked)
    voice = workshop.voice(asked)
    assert voice("calm_female", "zh-CN").name.endswith("+m7")
    assert voice("", "zh-CN").name.endswith("+m7")
    assert voice("lively_female", "zh-CN").name.endswith("+f2")


@pytest.mark.parametrize(
    ("wish", "step_voice", "message"),
    [
        ({"voice": "deep_mal"}, "pro_male", "no voice 'deep_mal' for zh-CN.*did you mean 'deep_male'"),
        ({"language": "yue"}, "lively_female", "'lively_female' does not speak yue.*it speaks zh-CN"),
        ({"language": "de"}, "pro_male", "does not speak de"),
        ({"language": "fr"}, "pro_male", "no recognition model for fr"),
    ],
)
def test_what_cannot_be_had_is_named(workshop: Workshop, wish: dict[str, str], step_voice: str, message: str) -> None:
    with pytest.raises(TaskError, match=message):
        workshop.fits(flow(step_voice, **wish))


async def test_a_dialect_is_understood_with_the_languages_data_and_its_own(workshop: Workshop, tmp_path: Path) -> None:
    (tmp_path / "nlu.yue.yml").write_text(
        'version: "3.1"\nnlu:\n- intent: affirm\n  examples: |\n    - 冇问题我嚟\n    - 系我嚟得\n', encoding="utf-8"
    )
    home = load_text(SOURCE.replace("VOICE", "pro_male"), tmp_path / "remind.yaml")
    own = workshop.understanding.data_of(home.in_tongue(Tongue("yue")))
    assert own[-1] == tmp_path / "nlu.yue.yml"
    assert own[:-1] == workshop.understanding.data_of(home)


def test_agi_bot_check_tells_of_a_dialect_that_cannot_be_heard_or_spoken(tmp_path: Path) -> None:
    file = tmp_path / "remind.yaml"
    told = SOURCE.replace("VOICE", "lively_female") + "languages: {yue: remind, de: remind}\n"
    file.write_text(told, encoding="utf-8")
    settings = Settings.model_validate(
        {"speaking": {"cache": tmp_path / "prompts"}, "hearing": {"models": {"yue": shipped("models", "demo")}}}
    )
    found = [finding.what for finding in dialects(settings, VoiceBox(settings), file)]
    assert "in yue: the voice 'lively_female' does not speak yue" in found[0]
    assert "in de: there is no recognition model for de" in found[1]
    assert len(found) == 2
