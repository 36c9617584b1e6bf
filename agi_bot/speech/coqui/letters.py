"""Text as Coqui's models can take it."""

from __future__ import annotations

import re

_TABLE = (
    "A诶 B必 C西 D弟 E伊 F艾弗 G吉 H艾尺 I艾 J杰 K开 L艾勒 M艾姆 N恩 O哦 P屁 Q吉吾 R阿尔 S艾丝 T提 U优 V维 "
    "W达不溜 X艾克斯 Y歪 Z贼德"
)
_NAMES = {entry[0]: entry[1:] for entry in _TABLE.split()}


def sayable_by_coqui(text: str, language: str) -> str:
    """``text`` without marks before its first letter, after which coqui-tts 0.28 loses what follows.

    Latin letters, which Mandarin models drop, are spelled.
    """
    begun = re.sub(r"^[\W_]+", "", text)
    return spelled(begun) if language.lower().split("-")[0] == "zh" else begun


def spelled(text: str) -> str:
    """``做CT检查``: every Latin letter by its Mandarin name, as it is spelled on the telephone."""
    return re.sub(r"[A-Za-z]", lambda match: _NAMES[match[0].upper()], text)
