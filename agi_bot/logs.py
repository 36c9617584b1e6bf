"""The log: one line an event, each with the call's id and the channel's names.

An admin greps this log and the PBX's log with the same unique id or channel name.
Personal data (what people say, numbers, also those in channel names such as
``Local/13800138000@...``) is logged at debug level only.
"""

from __future__ import annotations

import json
import logging
import re
import sys
from collections.abc import Callable
from typing import Any, Literal, TextIO

import structlog

Processor = structlog.types.Processor

PRIVATE = ("event", "reason", "detail", "text", "said", "heard", "exception")
"""Fields of a line in which words of people may stand; ids and channel names are none."""

_masks: list[Callable[[str], str]] = []


def mask_with(mask: Callable[[str], str]) -> None:
    """Pass the :data:`PRIVATE` fields of every line through ``mask`` from now on."""
    _masks[:] = [mask]


def _mask(_: Any, __: str, event: Any) -> Any:
    for name in PRIVATE:
        if isinstance(value := event.get(name), str):
            for mask in _masks:
                value = mask(value)
            event[name] = value
    return event


_IN_CHANNEL = re.compile(r"(?<=[/:+])\d+(?=\d{4}(?!\d))")
"""All but the last four digits of a number that was dialled or calls; not the counter at a channel's end."""

SHORTEST = 7
"""Digits of a telephone number of a person; shorter ones are extensions."""


def _without_number(channel: str) -> str:
    """``Local/*******0201@agi-bot-outbound-0000001f;2``."""
    return _IN_CHANNEL.sub(lambda head: "*" * len(head[0]) if len(head[0]) + 4 >= SHORTEST else head[0], channel)


def _hide_channel(_: Any, __: str, event: Any) -> Any:
    if isinstance(channel := event.get("channel"), str) and not logging.getLogger("agi_bot").isEnabledFor(
        logging.DEBUG
    ):
        event["channel"] = _without_number(channel)
    return event


_SHARED: list[Processor] = [
    structlog.stdlib.add_log_level,
    structlog.stdlib.ExtraAdder(),
    _mask,
    _hide_channel,
    structlog.processors.TimeStamper(fmt="%Y-%m-%dT%H:%M:%S.%f%z", utc=False),
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
    return [structlog.processors.format_exc_info, _mask, _line]


def _line(_: Any, __: str, event: Any) -> str:
    """``2026-11-21T10:00:00.123456+08:00 info call.arrived call_id=... channel=...``"""
    head = f"{event.pop('timestamp', '')} {event.pop('level', '')} {event.pop('event', '')}"
    trace = event.pop("exception", "")
    told = " ".join(f"{name}={_value(value)}" for name, value in event.items())
    return "\n".join(part for part in (f"{head} {told}".rstrip(), trace) if part)


def _value(value: Any) -> str:
    """A value on one line that can be told from its neighbours."""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    plain = text and not any(mark.isspace() or mark in '"=' or not mark.isprintable() for mark in text)
    return text if plain else json.dumps(text, ensure_ascii=False)


def of_call(call: Any) -> dict[str, str]:
    """The ``extra`` of a log line about ``call``."""
    return {"call_id": call.id, "channel": call.channel, "unique_id": call.unique_id}
