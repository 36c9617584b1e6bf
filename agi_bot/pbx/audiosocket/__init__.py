"""AudioSocket: Asterisk's raw sound over TCP, parsed and served."""

from agi_bot.pbx.audiosocket.line import Line, MediaLimits
from agi_bot.pbx.audiosocket.protocol import Parser, encode
from agi_bot.pbx.audiosocket.server import MediaServer

__all__ = ["Line", "MediaLimits", "MediaServer", "Parser", "encode"]
