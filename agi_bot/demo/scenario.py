"""What the demo plays: who is called, about what, and what that person answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from agi_bot.errors import AgiBotError


@dataclass(frozen=True, slots=True)
class Scenario:
    """One simulated person: the flow that is run and the lines said, in ``language``.

    ``variant`` is the espeak-ng speaker of the person, another one than the bot's.
    """

    language: str
    flow: str
    name: str
    item: str
    lines: tuple[str, ...]
    variant: str

    def customer(self, number: str, now: datetime) -> dict[str, object]:
        """What a CRM tells of the person, from which the task takes what the flow asks for."""
        data = dict(self.task(now))
        return {"number": number, "name": data.pop("name"), "data": data}

    def task(self, now: datetime) -> Mapping[str, object]:
        """The call task: an appointment three days from ``now``, at ten."""
        when = (now + timedelta(days=3)).replace(hour=10, minute=0, second=0, microsecond=0)
        return {"name": self.name, "appointment": when.replace(tzinfo=None).isoformat(), "item": self.item}


MANDARIN = Scenario(
    language="zh-CN",
    flow="appointment_reminder",
    name="张伟",
    item="血糖复查",
    lines=("我那天没空，能改到后天下午三点吗", "对"),
    variant="m3",
)
ENGLISH = Scenario(
    language="en",
    flow="appointment_reminder_en",
    name="Mary Miller",
    item="blood sugar check",
    lines=("I have no time that day, can it be the day after tomorrow at three in the afternoon", "yes"),
    variant="m3",
)


def scenario(language: str) -> Scenario:
    """The demo in ``language`` (``zh``, ``zh-CN``, ``en``).  Raises :class:`~agi_bot.errors.AgiBotError`."""
    for known in (MANDARIN, ENGLISH):
        if language.lower().split("-")[0] == known.language.split("-")[0]:
            return known
    raise AgiBotError(f"the demo does not speak '{language}'", cure="use --language zh or --language en")
