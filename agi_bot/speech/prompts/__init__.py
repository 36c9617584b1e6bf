"""Prompts ready before they are needed: a Voice around a Voice, with a cache."""

from agi_bot.speech.prompts.cached import CachedVoice, Progress, Rendered
from agi_bot.speech.prompts.plan import Part
from agi_bot.speech.prompts.recordings import Recording, Recordings, load_recording
from agi_bot.speech.prompts.store import PromptStore

__all__ = [
    "CachedVoice",
    "Part",
    "Progress",
    "PromptStore",
    "Recording",
    "Recordings",
    "Rendered",
    "load_recording",
]
