"""What :class:`~agi_bot.pbx.asterisk.pbx.AsteriskPbx` must be told; plain values only."""

from __future__ import annotations

from dataclasses import dataclass, field

from agi_bot.pbx.ami import AmiOptions
from agi_bot.pbx.audiosocket import MediaLimits

ANY = ("0.0.0.0", "::", "")


@dataclass(frozen=True, slots=True)
class AsteriskOptions:
    """Where we listen, where Asterisk is, and how calls come and go.

    ``audio_address`` is ``host:port`` of our AudioSocket server as Asterisk reaches it;
    empty: what is listened on.  Ports may be 0 (any free one).  ``variables`` are channel
    variables read from every call, beside those that came with an Originate.

    ``direct`` takes calls that come without AGI, straight from the dialplan's
    ``AudioSocket(uuid,host:port)``; ``direct_flow`` is their flow, unless a
    ``UserEvent(AgiBot,UUID: ...,Flow: ...)`` told another one over AMI.

    ``channel`` is what an Originate asks for; ``{number}`` is filled in.  The answered leg
    goes to ``extension`` of ``context``, or straight to our FastAGI when that is empty.

    ``transfer_context``: a transfer sends the channel there by AMI Redirect; empty: the
    dialplan does it, from the variable ``BOT_TRANSFER``.

    ``spool``: a folder that Asterisk can read, where EAGI calls get their sound files;
    empty: the system's folder for temporary files.

    ``audio_wait_s``: how long Asterisk may take to connect a call's sound; ``take_wait_s``:
    how long a bot may take to take a call before it goes back; ``finish_wait_s``:
    how long a bot may take to tell its results after the caller hung up, and Asterisk to
    take a call back.
    """

    agi_host: str = "127.0.0.1"
    agi_port: int = 4573
    audio_host: str = "127.0.0.1"
    audio_port: int = 4574
    audio_address: str = ""
    ami: AmiOptions | None = None
    variables: tuple[str, ...] = ("BOT_FLOW", "BOT_LANGUAGE")
    direct: bool = False
    direct_flow: str = ""
    channel: str = "Local/{number}@agi-bot-outbound"
    context: str = "agi-bot"
    extension: str = "answered"
    transfer_context: str = ""
    spool: str = ""
    audio_wait_s: float = 3.0
    take_wait_s: float = 3.0
    finish_wait_s: float = 5.0
    limits: MediaLimits = field(default_factory=MediaLimits)

    def audio_at(self, port: int) -> str:
        """``host:port`` for Asterisk's AudioSocket to connect to, when we listen on ``port``."""
        host = "127.0.0.1" if self.audio_host in ANY else self.audio_host
        return self.audio_address or f"{host}:{port}"

    def agi_at(self, port: int) -> str:
        """The same for FastAGI."""
        host = "127.0.0.1" if self.agi_host in ANY else self.agi_host
        return f"{host}:{port}"
