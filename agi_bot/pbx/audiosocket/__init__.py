"""AudioSocket: Asterisk's raw sound over TCP, parsed, paced and served."""

from agi_bot.pbx.audiosocket.clock import LineClock
from agi_bot.pbx.audiosocket.line import Line, MediaLimits
from agi_bot.pbx.audiosocket.protocol import Parser, encode
from agi_bot.pbx.audiosocket.server import MediaServer

__all__ = ["Line", "LineClock", "MediaLimits", "MediaServer", "Parser", "encode"]
