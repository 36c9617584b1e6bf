"""report.json: what the demo did and on which parts."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from agi_bot import __version__
from agi_bot.campaign.store.calls import as_text
from agi_bot.record import CallRecord


def report(record: CallRecord, *, pbx: str, version: str, database: Path, extra: dict[str, Any]) -> dict[str, Any]:
    """The report as JSON-ready data; times in ms."""
    return {
        "agi_bot": __version__,
        "pbx": {"name": pbx, "version": version},
        "recognizer": record.engines.get("recognizer", ""),
        "voice": record.engines.get("voice", ""),
        "nlu": record.engines.get("nlu", ""),
        "language": record.language,
        "flow": record.flow,
        "call_id": record.call_id,
        "channel": record.channel,
        "turns": [
            {
                "said": turn.said,
                "heard": turn.heard,
                "intent": turn.intent,
                "confidence": turn.confidence,
                "reply_ms": turn.reply_ms,
                "endpoint_ms": turn.endpoint_ms,
                "notes": turn.notes,
            }
            for turn in record.turns
        ],
        "outcome": record.outcome,
        "ended_by": record.ended_by,
        "slots": {name: as_text(value) for name, value in record.slots.items()},
        "recording": record.recording,
        "database": str(database),
        **extra,
    }


def write(folder: Path, data: dict[str, Any]) -> Path:
    """Write ``report.json`` into ``folder``; its path."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "report.json"
    path.write_text(json.dumps(data, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
    return path
