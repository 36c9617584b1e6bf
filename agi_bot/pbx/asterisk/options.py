"""What :class:`~agi_bot.pbx.asterisk.pbx.AsteriskPbx` must be told; plain values only."""

from __future__ import annotations

from dataclasses import dataclass, field

from agi_bot.pbx.ami import AmiOptions
from agi_bot.pbx.audiosocket import MediaLimits


@dataclass(frozen=True, slots=True)
class AsteriskOptions:
    """Where we listen, where Asterisk is, and how calls come and go.

    ``advertised_host`` is our address as Asterisk sees it; empty: the address listened on.
    Ports may be 0 (any free one).  ``variables`` are channel variables read from every
    call, beside those that came with an Originate.

    ``direct`` takes calls that come without AGI, straight from the dialplan's
    ``AudioSocket(uuid,host:port)``; ``direct_flow`` is their flow, unless a
    ``UserEvent(AgiBot,UUID: ...,Flow: ...)`` told another one over AMI.

    ``dial`` is the channel that an Originate asks for; ``{number}`` and ``{context}``
    (``dial_context``) are filled in.  The answered leg goes to ``answer_extension`` of
    ``answer_context``, or straight to our FastAGI when that is empty.

    ``transfer_context``: a transfer sends the channel there by AMI Redirect; empty: the
    dialplan does it, from the variable ``BOT_TRANSFER``.

    ``spool``: a folder that Asterisk can read, where EAGI calls get their sound files.
    """

    agi_host: str = "127.0.0.1"
    agi_port: int = 4573
    media_host: str = "127.0.0.1"
    media_port: int = 9092
    advertised_host: str = ""
    ami: AmiOptions | None = None
    variables: tuple[str, ...] = ("BOT_FLOW", "BOT_LANGUAGE")
    direct: bool = False
    direct_flow: str = ""
    dial: str = "Local/{number}@{context}"
    dial_context: str = "agi-bot-outbound"
    answer_context: str = ""
    answer_extension: str = "s"
    transfer_context: str = ""
    spool: str = ""
    media_wait_s: float = 5.0
    finish_wait_s: float = 5.0
    limits: MediaLimits = field(default_factory=MediaLimits)

    def media_address(self, port: int) -> str:
        """``host:port`` for Asterisk's AudioSocket to connect to."""
        host = self.advertised_host or self.media_host
        if host in ("0.0.0.0", "::", ""):
            host = "127.0.0.1"
        return f"{host}:{port}"
