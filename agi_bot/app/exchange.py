"""The exchange that the settings name."""

from __future__ import annotations

from agi_bot.config import Settings
from agi_bot.contracts import Pbx
from agi_bot.errors import ConfigError
from agi_bot.pbx.asterisk import AmiOptions, AsteriskOptions, AsteriskPbx


def exchange(settings: Settings) -> Pbx:
    """The exchange of ``settings.pbx``, not yet started.  Raises :class:`~agi_bot.errors.ConfigError`."""
    if settings.pbx == "asterisk":
        return AsteriskPbx(asterisk_options(settings))
    raise ConfigError(f"pbx: {settings.pbx} is not available", cure="use asterisk")


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
    )
