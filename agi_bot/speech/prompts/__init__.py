"""Prompts ready before they are needed: a Voice around a Voice, with a cache."""

from agi_bot.speech.prompts.cached import CachedVoice, Progress, Readiness, Rendered
from agi_bot.speech.prompts.plan import Part, Prompt
from agi_bot.speech.prompts.recordings import Recording, Recordings, load_recording
from agi_bot.speech.prompts.store import PromptStore

__all__ = [
    "CachedVoice",
    "Part",
    "Progress",
    "Prompt",
    "PromptStore",
    "Readiness",
    "Recording",
    "Recordings",
    "Rendered",
    "load_recording",
]
