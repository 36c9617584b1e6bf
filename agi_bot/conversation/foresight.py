"""What a dialogue would say next, so that it can be rendered before it is needed."""

from __future__ import annotations

import copy

from agi_bot.contracts import Intent, Transcript
from agi_bot.conversation.engines import Script
from agi_bot.flow.events import Event, Heard, Listen, Say, Silent

FORESEEN = 8
"""How many of a step's expected answers are looked ahead for."""


def next_says(script: Script, listen: Listen) -> list[Say]:
    """What ``script`` would say to the answers that ``listen`` expects, and to silence."""
    names = listen.expected[:FORESEEN]
    events: list[Event] = [Heard(Intent(name, 1.0), Transcript("", final=True)) for name in names]
    return [say for event in (*events, Silent()) for say in would_say(script, event)]


def would_say(script: Script, event: Event) -> list[Say]:
    """What ``script`` would say to ``event``; it is not told of it."""
    actions = copy.deepcopy(script).receive(event)
    return [action for action in actions if isinstance(action, Say)]
