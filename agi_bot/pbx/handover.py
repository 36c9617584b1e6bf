"""Hand a call of an existing panoramisk FastAGI application to the bot, and take it back.

::

    from agi_bot.pbx.handover import hand_over

    async def call_waiting(request):                      # a handler of panoramisk's Application
        await request.send_command("ANSWER")
        talk = await hand_over(request, "appointment_reminder", slots=["new_time"])
        if talk.transfer:
            await request.send_command(f"EXEC Queue {talk.transfer}")

The bot runs where it always runs (``agi-bot serve``); nothing of it is loaded into the
application.  Asterisk itself calls it (``EXEC AGI``) while the application waits.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from agi_bot.pbx.agi import commands
from agi_bot.pbx.names import check_name

SCRIPT = "handover"
"""Path in the AGI address that tells the bot that no dialplan of ours is around this call."""


class AgiRequest(Protocol):
    """What is used of ``panoramisk.fast_agi.Request``."""

    async def send_command(self, command: str) -> Any:
        """Send a command; answers a dict with ``result`` (value, data) or ``error``."""


@dataclass(frozen=True, slots=True)
class Talk:
    """What the bot left.  ``outcome`` is empty when the bot was not there or did not finish."""

    outcome: str = ""
    intent: str = ""
    transfer: str = ""
    slots: Mapping[str, str] = field(default_factory=dict)
    hung_up: bool = False

    @property
    def finished(self) -> bool:
        """Whether the bot did its part."""
        return bool(self.outcome)


async def hand_over(
    request: AgiRequest,
    flow: str,
    *,
    bot: str = "127.0.0.1:4573",
    slots: Sequence[str] = (),
    values: Mapping[str, str] | None = None,
) -> Talk:
    """Let the bot at ``bot`` (``host:port`` of its FastAGI) talk to the caller with ``flow``.

    ``values`` are given to the flow; ``slots`` are read afterwards.  It never raises for a
    bot that is not there or dies: then the talk is not :attr:`~Talk.finished` and the
    application goes on with its own fallback.  After a hang-up do not send anything more
    (panoramisk's replies are out of step then).  Raises :class:`ValueError` for a flow,
    name or value with a comma or a line end.
    """
    told = [f"{check_name(name)}={value}" for name, value in (values or {}).items()]
    command = commands.execute("AGI", f"agi://{bot}/{SCRIPT}", flow, *told)
    await _send(request, commands.set_variable("BOT_OUTCOME", ""))
    if not await _send(request, command):
        return Talk(hung_up=True)
    read: dict[str, str] = {}
    for variable in ("BOT_OUTCOME", "BOT_INTENT", "BOT_TRANSFER", *map(_slot, slots)):
        reply = await _send(request, commands.get_variable(variable))
        if reply is None:
            return Talk(read.get("BOT_OUTCOME", ""), hung_up=True)
        read[variable] = _value(reply)
    found = {name: read[_slot(name)] for name in slots}
    return Talk(read["BOT_OUTCOME"], read["BOT_INTENT"], read["BOT_TRANSFER"], found)


async def _send(request: AgiRequest, command: bytes) -> Mapping[str, Any] | None:
    """The reply; ``None`` when the caller hung up (panoramisk has three ways to say so)."""
    try:
        reply: Mapping[str, Any] = await request.send_command(command.decode().rstrip("\n"))
    except (ValueError, ConnectionError):
        return None
    return None if reply.get("error") in ("AGIResultHangup", "AGIUnknownError") else reply


def _slot(name: str) -> str:
    return f"BOT_SLOT_{name.upper()}"


def _value(reply: Mapping[str, Any]) -> str:
    found, value = reply.get("result", ("", ""))
    return str(value) if found == "1" else ""
