"""The log: one line an event, each with the call's id and the channel's names.

An admin greps this log and the PBX's log with the same channel name.  Personal data
(numbers, what people say) is logged at debug level only.
"""

from __future__ import annotations

import logging
import sys
from typing import Any, Literal, TextIO

import structlog

Processor = structlog.types.Processor

_SHARED: list[Processor] = [
    structlog.stdlib.add_log_level,
    structlog.stdlib.ExtraAdder(),
    structlog.processors.TimeStamper(fmt="iso", utc=False),
]


def configure(level: str = "info", form: Literal["text", "json"] = "text", stream: TextIO | None = None) -> None:
    """Send every logger's lines to ``stream`` (stderr) as text or JSON lines."""
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=_SHARED,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *_last(form)],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    for name in ("agi_bot", "esl"):
        logging.getLogger(name).setLevel(level.upper())


def _last(form: str) -> list[Processor]:
    if form == "json":
        return [structlog.processors.dict_tracebacks, structlog.processors.JSONRenderer(ensure_ascii=False)]
    return [
        structlog.processors.format_exc_info,
        structlog.processors.KeyValueRenderer(key_order=["timestamp", "level", "event"]),
    ]


def of_call(call: Any) -> dict[str, str]:
    """The ``extra`` of a log line about ``call``."""
    return {"call_id": call.id, "channel": call.channel, "unique_id": call.unique_id}
