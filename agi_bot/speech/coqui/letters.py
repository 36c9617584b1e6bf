"""Latin letters in Mandarin text, which Mandarin models drop: as they are spelled on the telephone."""

from __future__ import annotations

import re

_TABLE = (
    "A诶 B必 C西 D弟 E伊 F艾弗 G吉 H艾尺 I艾 J杰 K开 L艾勒 M艾姆 N恩 O哦 P屁 Q吉吾 R阿尔 S艾丝 T提 U优 V维 "
    "W达不溜 X艾克斯 Y歪 Z贼德"
)
_NAMES = {entry[0]: entry[1:] for entry in _TABLE.split()}


def spelled(text: str) -> str:
    """``做CT检查``: every Latin letter by its Mandarin name."""
    return re.sub(r"[A-Za-z]", lambda match: _NAMES[match[0].upper()], text)
