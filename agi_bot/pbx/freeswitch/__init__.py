"""FreeSWITCH 1.6 and newer, stock: calls by the event socket, sound by the core's own ``unicast``."""

from agi_bot.pbx.freeswitch.options import FreeSwitchOptions
from agi_bot.pbx.freeswitch.pbx import FreeSwitchPbx

__all__ = ["FreeSwitchOptions", "FreeSwitchPbx"]
