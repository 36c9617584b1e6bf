"""Asterisk 18 and newer: calls by FastAGI and AudioSocket, outbound by AMI."""

from agi_bot.pbx.ami import AmiOptions
from agi_bot.pbx.asterisk.options import AsteriskOptions
from agi_bot.pbx.asterisk.pbx import AsteriskPbx
from agi_bot.pbx.call import PbxCall

__all__ = ["AmiOptions", "AsteriskOptions", "AsteriskPbx", "PbxCall"]
