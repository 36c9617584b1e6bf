"""What :class:`~agi_bot.pbx.freeswitch.pbx.FreeSwitchPbx` must be told; plain values only."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class FreeSwitchOptions:
    """Where we listen, where FreeSWITCH is, and how calls come and go.

    ``host`` and ``port`` are what the dialplan's ``socket`` application connects to (port 0:
    any free one).  ``esl_host``, ``esl_port`` and ``esl_password`` are those of
    event_socket.conf.xml; without a password only calls that come are taken.

    ``media_host`` is our address for the sound, which FreeSWITCH must reach; it takes sound
    from any sender, so keep it on loopback or a private network.  ``media_local`` is
    FreeSWITCH's own address for it.

    ``media`` is how the sound travels: ``unicast`` (the core itself), ``audio_fork`` or
    ``audio_stream`` (modules that connect to a WebSocket server of ours on ``media_port`` of
    ``media_host``; 0: any free port).

    ``backend`` is the transport: ``native`` or ``greenswitch``.  ``variables`` are channel
    variables handed to the call, beside those that came with an originate.

    ``channel`` is what an originate dials; ``{number}`` is filled in.  The answered leg goes to
    ``extension`` of ``context``.  ``transfer_context``: a transfer sends the call there;
    empty: the dialplan does it, from the variable ``BOT_TRANSFER``.

    ``audio_wait_s``: how long FreeSWITCH may take to bring the first sound; ``take_wait_s``: how
    long a bot may take to take a call before it goes back; ``finish_wait_s``: how long a bot may
    take to tell its results after the caller hung up; ``quiet_s``: so long without sound, after
    something else had the channel, the media path is opened again; ``lost_s``: so long without
    any sound the line is given back as ``FAILED`` (a telephone that suppresses silence may be
    quiet for as long as its owner listens).
    """

    host: str = "127.0.0.1"
    port: int = 8084
    esl_host: str = "127.0.0.1"
    esl_port: int = 8021
    esl_password: str = ""
    media_host: str = "127.0.0.1"
    media_local: str = "127.0.0.1"
    media: str = "unicast"
    media_port: int = 0
    backend: str = "native"
    variables: tuple[str, ...] = ("BOT_FLOW", "BOT_LANGUAGE")
    channel: str = "sofia/gateway/trunk/{number}"
    context: str = "agi_bot"
    extension: str = "answered"
    transfer_context: str = ""
    max_calls: int = 1000
    command_timeout_s: float = 5.0
    audio_wait_s: float = 3.0
    take_wait_s: float = 3.0
    finish_wait_s: float = 5.0
    quiet_s: float = 1.0
    lost_s: float = 120.0
    inbox_frames: int = 100
