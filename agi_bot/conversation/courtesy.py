"""What is said to a caller who speaks without end, before the bot takes its turn."""

from __future__ import annotations

from collections.abc import Mapping

MAX_TURN = "max_turn"
"""Why a turn ended that was too long (:class:`~agi_bot.speech.turn_values.Act` ``TOO_LONG``)."""

_WORDS: Mapping[str, str] = {
    "zh": "不好意思，打断您一下。",
    "yue": "唔好意思，打断您一下。",
    "en": "Sorry to interrupt you.",
}


def excuse(language: str) -> str:
    """Polite words of interruption in ``language`` (``zh-CN``, ``en``); empty where none are known."""
    return _WORDS.get(language.replace("_", "-").split("-")[0].lower(), "")
