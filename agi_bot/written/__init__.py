"""What keeps a YAML file from being read at all, told as the slip of the keyboard that it is; pure."""

from __future__ import annotations

from agi_bot.written.slips import Slip, all_slips, slip_near
from agi_bot.written.syntax import syntax_slip
from agi_bot.written.text import encoding_slip, indent_slips, narrow

__all__ = ["Slip", "all_slips", "encoding_slip", "indent_slips", "narrow", "slip_near", "syntax_slip"]
