"""Hearing with Vosk: one shared model, one recogniser a call, in threads of its own.

``VoskRecognizer`` keeps the promise :class:`agi_bot.contracts.Recognizer`.  libvosk ends the
whole process when a model is incomplete, so a model folder is looked at
(:func:`inspect_folder`) and tried in a child process before it is loaded.
"""

from agi_bot.speech.vosk.folder import ModelFolder, inspect_folder
from agi_bot.speech.vosk.recognizer import VoskHearing, VoskRecognizer
from agi_bot.speech.vosk.settings import VoskSettings

__all__ = ["ModelFolder", "VoskHearing", "VoskRecognizer", "VoskSettings", "inspect_folder"]
