"""Short ways to write a conversation with a dialogue in a test."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta, timezone

from agi_bot.contracts import Entity, Intent, Transcript, Value
from agi_bot.flow import Dialogue, load_text
from agi_bot.flow.events import Action, Event, Heard, Listen, Say, Started

CHINA = timezone(timedelta(hours=8))
NOW = datetime(2026, 11, 24, 9, 0, tzinfo=CHINA)

MINIMAL = """\
flow: f
start: a
steps:
  a:
    say: 您好
    on: {affirm: b}
  b: {say: 再见, end: done}
"""


def dialogue(text: str, task: Mapping[str, Value] | None = None, *, seed: str = "") -> Dialogue:
    """A dialogue over the flow written in ``text``."""
    return Dialogue(load_text(text), task, seed=seed)


def started(text: str, task: Mapping[str, Value] | None = None, *, seed: str = "") -> tuple[Dialogue, list[Action]]:
    """The same, already answered."""
    talk = dialogue(text, task, seed=seed)
    return talk, talk.receive(Started(NOW))


def heard(text: str = "", intent: str = "", **entities: Value) -> Heard:
    """The caller said ``text``; entities by kind."""
    found = tuple(Entity(kind, value, str(value)) for kind, value in entities.items())
    return Heard(Intent(intent, 0.9 if intent else 0.0, found), Transcript(text or intent, final=True))


def said(actions: list[Action]) -> str:
    """Everything that ``actions`` speak."""
    return "".join(action.text for action in actions if isinstance(action, Say))


def listens(actions: list[Action]) -> Listen:
    """The only :class:`Listen` of ``actions``."""
    (listen,) = [action for action in actions if isinstance(action, Listen)]
    return listen


def kinds(actions: list[Action]) -> list[str]:
    """Names of the actions, in order."""
    return [type(action).__name__ for action in actions]


def talk_through(dialogue: Dialogue, *events: Event) -> list[Action]:
    """Feed ``events``; answers the actions of the last one."""
    actions: list[Action] = []
    for event in events:
        actions = dialogue.receive(event)
    return actions
