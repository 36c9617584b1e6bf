"""English."""

from agi_bot.spoken.english.text import speakable
from agi_bot.spoken.english.values import say

__all__ = ["say", "speakable"]
