"""Where a prompt is cut for the cache."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agi_bot.errors import SpeechError
from agi_bot.speech.prompts.plan import Part, Unit, units


def cut(*parts: Part) -> list[tuple[str, bool, int]]:
    return [(unit.text, unit.fixed, unit.pause_ms) for unit in units(parts, "zh-CN")]


def test_a_fixed_prompt_is_cut_into_its_sentences() -> None:
    assert cut(Part("您好，这里是市一医院。您能来吗？")) == [
        ("您好，这里是市一医院。", True, 320),
        ("您能来吗？", True, 0),
    ]


def test_variable_clauses_are_told_from_fixed_ones() -> None:
    parts = (Part("您好，"), Part("张伟", fixed=False), Part("，这里是市一医院，本次通话会被录音。"))
    assert cut(*parts) == [
        ("您好，", True, 160),
        ("张伟，", False, 160),
        ("这里是市一医院，本次通话会被录音。", True, 0),
    ]


def test_no_joint_falls_inside_a_clause() -> None:
    parts = (Part("您预约了"), Part("后天下午三点", fixed=False), Part("的复查，请空腹前往。您能来吗？"))
    assert cut(*parts) == [
        ("您预约了后天下午三点的复查，", False, 160),
        ("请空腹前往。", True, 320),
        ("您能来吗？", True, 0),
    ]


def test_a_plain_text_is_variable() -> None:
    assert units("您好。", "zh-CN") == [Unit("您好。", False, 0)]


def test_english() -> None:
    parts = (Part("Hello "), Part("Mr. Smith", fixed=False), Part(", this is the city hospital. Can you come?"))
    assert [unit.text for unit in units(parts, "en")][-2:] == ["this is the city hospital.", "Can you come?"]


@pytest.mark.parametrize("prompt", ["", "，。", [], [Part("")], [Part("。"), Part("😀", fixed=False)]])
def test_nothing_to_speak(prompt: str | list[Part]) -> None:
    with pytest.raises(SpeechError, match="nothing to speak"):
        units(prompt, "zh-CN")


@given(st.lists(st.builds(Part, st.text(alphabet="您好a，。,. \n", max_size=12), st.booleans()), max_size=6))
def test_every_letter_is_in_one_unit_and_variable_ones_are_never_fixed(parts: list[Part]) -> None:
    letters = "".join(char for part in parts for char in part.text if char.isalnum())
    if not letters:
        return
    made = units(parts, "zh-CN")
    assert "".join(char for unit in made for char in unit.text if char.isalnum()) == letters
    flags = [part.fixed for part in parts for char in part.text if char.isalnum()]
    unit_flags = [unit.fixed for unit in made for char in unit.text if char.isalnum()]
    assert all(flag or not unit_flag for flag, unit_flag in zip(flags, unit_flags, strict=True))


def test_protected_clauses_are_units_of_their_own() -> None:
    parts = (
        Part("您好，"),
        Part("张伟", fixed=False),
        Part("，这里是医院，"),
        Part("本次通话会被录音", protected=True),
        Part("。您能来吗？"),
    )
    assert [(unit.text, unit.fixed, unit.protected) for unit in units(parts, "zh-CN")] == [
        ("您好，", True, False),
        ("张伟，", False, False),
        ("这里是医院，", True, False),
        ("本次通话会被录音。", True, True),
        ("您能来吗？", True, False),
    ]
