"""The exchange that the settings name."""

from __future__ import annotations

import socket

from agi_bot.config import Settings
from agi_bot.contracts import Pbx
from agi_bot.pbx.asterisk import AmiOptions, AsteriskOptions, AsteriskPbx
from agi_bot.pbx.freeswitch import FreeSwitchOptions, FreeSwitchPbx


def exchange(settings: Settings) -> Pbx:
    """The exchange of ``settings.pbx``, not yet started."""
    if settings.pbx == "freeswitch":
        return FreeSwitchPbx(freeswitch_options(settings))
    return AsteriskPbx(asterisk_options(settings))


def asterisk_options(settings: Settings) -> AsteriskOptions:
    """The options of an Asterisk."""
    asterisk, ami = settings.asterisk, settings.asterisk.ami
    return AsteriskOptions(
        agi_host=asterisk.agi_host,
        agi_port=asterisk.agi_port,
        audio_host=asterisk.audio_host,
        audio_port=asterisk.audio_port,
        audio_address=asterisk.audio_address,
        ami=AmiOptions(ami.user, ami.secret, ami.host, ami.port) if ami.user else None,
        channel=asterisk.channel,
        context=asterisk.context,
        extension=asterisk.extension,
        direct=asterisk.direct,
        direct_flow=asterisk.direct_flow,
        transfer_context=asterisk.transfer_context,
        spool=asterisk.spool,
    )


def beside_a_running_bot(settings: Settings) -> Settings:
    """``settings`` on free ports where ``agi-bot serve`` has the configured ones already.

    Where Asterisk has been told one address for the sound (``audio_address``) they stay as they are.
    """
    return _beside_on_freeswitch(settings) if settings.pbx == "freeswitch" else _beside_on_asterisk(settings)


def _beside_on_freeswitch(settings: Settings) -> Settings:
    """The call itself tells the dialplan where its bot is."""
    freeswitch = settings.freeswitch
    ports = ((freeswitch.listen_host, freeswitch.listen_port), (freeswitch.media_host, freeswitch.media_port))
    if not any(_taken(host, port) for host, port in ports):
        return settings
    free = freeswitch.model_copy(update={"listen_port": 0, "media_port": 0})
    return settings.model_copy(update={"freeswitch": free})


def _beside_on_asterisk(settings: Settings) -> Settings:
    asterisk = settings.asterisk
    ports = ((asterisk.agi_host, asterisk.agi_port), (asterisk.audio_host, asterisk.audio_port))
    if asterisk.audio_address or not any(_taken(host, port) for host, port in ports):
        return settings
    free = asterisk.model_copy(update={"agi_port": 0, "audio_port": 0})
    return settings.model_copy(update={"asterisk": free})


def _taken(host: str, port: int) -> bool:
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return True
    return False


def freeswitch_options(settings: Settings) -> FreeSwitchOptions:
    """The options of a FreeSWITCH."""
    freeswitch = settings.freeswitch
    return FreeSwitchOptions(
        host=freeswitch.listen_host,
        port=freeswitch.listen_port,
        esl_host=freeswitch.host,
        esl_port=freeswitch.port,
        esl_password=freeswitch.password,
        media_host=freeswitch.media_host,
        media_local=freeswitch.media_local,
        media=freeswitch.media,
        media_port=freeswitch.media_port,
        backend=freeswitch.backend,
        channel=freeswitch.channel,
        context=freeswitch.context,
        extension=freeswitch.extension,
        transfer_context=freeswitch.transfer_context,
    )
