"""agi-bot: a voice bot for the Asterisk or FreeSWITCH PBX that is already there."""

__version__ = "0.1.0"
