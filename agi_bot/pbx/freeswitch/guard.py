"""The one way to open ``unicast``, which cannot be gone before the call is answered.

HAZARD (FreeSWITCH 1.6.20 to 1.11.2, ``switch_ivr_park``): ``unicast`` on a channel that was not
answered aborts the WHOLE FreeSWITCH process with an assertion.  So :func:`open_unicast` wants an
:class:`Answered`, and only :func:`answer` makes one, after FreeSWITCH has told that ``answer`` is
done and that the channel is answered.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from agi_bot.errors import CallGone
from esl import Event, Session

_KEY = object()

BACK = "agi_bot_back XML agi_bot"
"""Where the dialplan goes on when the bot's park is not inside the socket application any more."""


@dataclass(frozen=True, slots=True)
class Answered:
    """The proof that a call was answered; ``read_rate`` is its read codec's rate, Hz (0: not told)."""

    session: Session
    read_rate: int
    key: object

    def __post_init__(self) -> None:
        if self.key is not _KEY:
            raise TypeError("only answer() knows that a call was answered")


async def answer(session: Session, timeout_s: float) -> Answered:
    """Answer the call and wait until that is done.

    Raises :class:`~agi_bot.errors.CallGone` when it was not answered, :class:`esl.EslError`,
    :class:`TimeoutError`.
    """
    done = await session.execute("answer", timeout=timeout_s)
    disposition, state = done.get("variable_endpoint_disposition"), done.get("Answer-State")
    if disposition != "ANSWER" or state != "answered":
        raise CallGone(f"the call was not answered ({disposition or 'no disposition'}, {state or 'no state'})")
    return Answered(session, _read_rate(done), _KEY)


async def parked_again(answered: Answered, back: str, timeout_s: float) -> Answered:
    """Take the call back to a fresh park, in which ``unicast`` can be opened again.

    Playback, a bridge and a codec change end unicast for good in the park in which they happen.
    A transfer to ``park inline`` makes a new one, by the application in the channel's own thread
    (see loan.py); a second ``uuid_park`` would wedge the channel.  When the socket ends, the call
    goes on at ``back`` (extension, dialplan, context).  Raises :class:`esl.EslError`,
    :class:`TimeoutError`.
    """
    session = answered.session
    with session.listen("CHANNEL_PARK") as parks:
        # The new park is not inside the socket application: socket_resume would leave the channel in
        # CS_RESET for ever.  Without it the end of the socket ends the park, and the next one follows.
        await session.set_variable("socket_resume", "false")
        await session.start("transfer", f"'park,transfer:{back}' inline")
        async with asyncio.timeout(timeout_s):
            event = await anext(parks)
    if event.get("Answer-State") != "answered":
        raise CallGone("the call ended while it was parked again")
    return Answered(session, _read_rate(event), _KEY)


async def open_unicast(answered: Answered, local_ip: str, remote: tuple[str, int]) -> None:
    """Let FreeSWITCH send the call's sound to ``remote`` and take sound back.  Raises :class:`esl.EslError`.

    Never ``flags: native`` (encoded sound), and ``transport: tcp`` would silently be UDP.
    """
    fields = {"local-ip": local_ip, "local-port": "0"}
    fields |= {"remote-ip": remote[0], "remote-port": str(remote[1]), "transport": "udp"}
    await answered.session.message("unicast", fields)


def _read_rate(event: Event) -> int:
    told = event.get("Channel-Read-Codec-Rate")
    return int(told) if told.isdecimal() else 0
