"""Mandarin."""

from agi_bot.spoken.mandarin.text import speakable
from agi_bot.spoken.mandarin.values import say

__all__ = ["say", "speakable"]
