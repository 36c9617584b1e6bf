"""AGI: Asterisk's gateway interface, parsed without I/O and served over TCP (FastAGI)."""

from agi_bot.pbx.agi.protocol import Parser, Reply, Request
from agi_bot.pbx.agi.server import FastAgiServer, Session

__all__ = ["FastAgiServer", "Parser", "Reply", "Request", "Session"]
