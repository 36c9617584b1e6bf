"""The embedded voice: espeak-ng 1.52 from a wheel, in a helper process."""

from agi_bot.speech.espeak.voice import EspeakVoice, espeak_pool

__all__ = ["EspeakVoice", "espeak_pool"]
