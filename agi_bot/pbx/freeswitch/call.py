"""A call on FreeSWITCH: what ends it and what it leaves behind is the same as on Asterisk."""

from __future__ import annotations

from agi_bot.pbx.asterisk.call import AsteriskCall, How, Identity, Media, one_line


class FreeSwitchCall(AsteriskCall):
    """Keeps the promise :class:`agi_bot.contracts.Call`; its *leg* carries out how it ends."""


__all__ = ["FreeSwitchCall", "How", "Identity", "Media", "one_line"]
