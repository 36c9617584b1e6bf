"""Which flow a call gets, and what an admin reads when it gets none."""

from __future__ import annotations

from pathlib import Path

import pytest

from agi_bot.flow import Flow, TaskError, load_text
from agi_bot.switchboard import NoFlow, Switchboard
from agi_bot.testing import FakeCall

SOURCE = """
flow: {name}
language: zh-CN
task:
  name: {{type: text, default: 您}}
start: greet
steps:
  greet: {{say: 您好。, end: done}}
"""


class Shelf:
    def __init__(self, *names: str) -> None:
        self._flows = {name: load_text(SOURCE.format(name=name), Path(f"{name}.yaml")) for name in names}

    def get(self, name: str) -> Flow | None:
        return self._flows.get(name)

    def names(self) -> list[str]:
        return sorted(self._flows)


@pytest.fixture
def board() -> Switchboard:
    return Switchboard(Shelf("greet", "survey", "night"), {"400": "survey"}, "night")


def test_the_dialplan_decides_first(board: Switchboard) -> None:
    call = FakeCall(called="400", variables={"flow": "greet", "task_name": "张伟"})
    picked = board.pick(call)
    assert (picked.flow.name, picked.task, picked.direction) == ("greet", {"name": "张伟"}, "inbound")


def test_then_the_number_then_the_default(board: Switchboard) -> None:
    assert board.pick(FakeCall(called="400")).flow.name == "survey"
    assert board.pick(FakeCall(called="999")).flow.name == "night"


def test_an_expected_call_is_outbound(board: Switchboard) -> None:
    board.expect("id-1", "greet", {"name": "李雷"})
    picked = board.pick(FakeCall("id-1", variables={"flow": "survey"}))
    assert (picked.flow.name, picked.task["name"], picked.direction) == ("greet", "李雷", "outbound")
    assert board.pick(FakeCall("id-1")).direction == "inbound"


def test_a_forgotten_call_is_not_expected_any_more(board: Switchboard) -> None:
    board.expect("id-1", "greet", {})
    board.forget("id-1")
    assert board.pick(FakeCall("id-1")).flow.name == "night"


def test_an_unknown_flow_names_the_known_ones(board: Switchboard) -> None:
    with pytest.raises(NoFlow) as caught:
        board.pick(FakeCall(variables={"flow": "gret"}))
    assert "'gret'" in caught.value.message
    assert "greet, night, survey" in caught.value.cure


def test_a_call_without_any_flow() -> None:
    with pytest.raises(NoFlow, match=r"flows\.default"):
        Switchboard(Shelf("greet")).pick(FakeCall())


def test_task_data_that_does_not_fit(board: Switchboard) -> None:
    with pytest.raises(TaskError, match="unknown field"):
        board.expect("id-1", "greet", {"nmae": "x"})


# --- another language, another voice ---

TWO = """
flow: {name}
language: {language}
voice: calm_female
{more}
task:
  name: {{type: text, default: you}}
start: greet
steps:
  greet: {{say: 您好。, end: done}}
"""


class Tongues(Shelf):
    """A Mandarin flow that is spoken in Cantonese as well, and an English one that stands in for it."""

    def __init__(self) -> None:
        offers = "languages: {en: remind_en, yue: remind}"
        sources = (("remind", "zh-CN", offers), ("remind_en", "en", ""))
        self._flows = {
            name: load_text(TWO.format(name=name, language=language, more=more), Path(f"{name}.yaml"))
            for name, language, more in sources
        }


@pytest.mark.parametrize(
    ("wanted", "flow", "spoken"),
    [
        ("", "remind", "zh-CN"),
        (None, "remind", "zh-CN"),
        ("zh-CN", "remind", "zh-CN"),
        ("zh-TW", "remind", "zh-TW"),
        ("en", "remind_en", "en"),
        ("en-GB", "remind_en", "en-GB"),
        ("yue", "remind", "yue"),
        ("YUE", "remind", "YUE"),
    ],
)
def test_task_data_choose_the_language(wanted: str | None, flow: str, spoken: str) -> None:
    picked = Switchboard(Tongues()).expect("id", "remind", {"name": "x", "language": wanted})
    assert (picked.flow.name, picked.flow.spoken, picked.task) == (flow, spoken, {"name": "x"})


def test_the_dialplan_chooses_it_too() -> None:
    call = FakeCall(variables={"flow": "remind", "task_language": "en", "task_voice": "pro_male"})
    picked = Switchboard(Tongues()).pick(call)
    assert (picked.flow.name, picked.flow.tongue.voice) == ("remind_en", "pro_male")


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        ({"language": "fr"}, "the flow speaks zh-CN, en, yue, not fr"),
        ({"language": "Kantonesisch!"}, "no language tag"),
        ({"voice": "a b"}, "no name of a voice"),
    ],
)
def test_what_cannot_be_spoken_is_refused_before_dialling(raw: dict[str, object], message: str) -> None:
    board = Switchboard(Tongues())
    with pytest.raises(TaskError, match=message):
        board.expect("id", "remind", raw)
    flow = Tongues().get("remind")
    assert flow is not None
    with pytest.raises(TaskError, match=message):
        flow.read_task(raw)


def test_a_flow_that_nobody_can_speak_here_is_refused() -> None:
    def fits(flow: Flow) -> None:
        raise TaskError(flow.name, [f"no voice for {flow.spoken}"])

    with pytest.raises(TaskError, match="no voice for yue"):
        Switchboard(Tongues(), fits=fits).expect("id", "remind", {"language": "yue"})


def test_the_flow_itself_stays_as_it_was() -> None:
    shelf = Tongues()
    Switchboard(shelf).expect("id", "remind", {"language": "yue", "voice": "pro_male"})
    flow = shelf.get("remind")
    assert flow is not None
    assert (flow.spoken, flow.tongue.voice) == ("zh-CN", "")
