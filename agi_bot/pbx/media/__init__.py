"""The sound of a call, whatever carries it: one clock for all, what was heard, what is to be played."""

from agi_bot.pbx.media.clock import TICK_S, LineClock
from agi_bot.pbx.media.inbox import Inbox
from agi_bot.pbx.media.playout import Playout
from agi_bot.pbx.media.sound import Counters, Sound

__all__ = ["TICK_S", "Counters", "Inbox", "LineClock", "Playout", "Sound"]
