"""The page of ``agi-bot voices audition``: every voice with its sound, grouped by language."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from itertools import groupby

from agi_bot.speech.voices import VoiceEntry

Row = tuple[VoiceEntry, str, str]
"""A voice, the name of its sound file, and what it says."""


def page(rows: Sequence[Row]) -> str:
    """A page of HTML that lies beside the sound files and needs nothing else."""
    ordered = sorted(rows, key=lambda row: _first_of(rows, row[0].language))
    groups = groupby(ordered, key=lambda row: row[0].language)
    return _HTML.replace("GROUPS", "\n".join(_group(language, list(found)) for language, found in groups))


def _first_of(rows: Sequence[Row], language: str) -> int:
    return next(index for index, row in enumerate(rows) if row[0].language == language)


def _group(language: str, rows: Sequence[Row]) -> str:
    tag, cards = escape(language, quote=True), "\n".join(_card(entry, name) for entry, name, _ in rows)
    said = f'<p class="said">{escape(rows[0][2])}</p>'
    return f'<section lang="{tag}"><h2>{tag}</h2>\n{said}\n<ul>\n{cards}\n</ul></section>'


def _card(entry: VoiceEntry, name: str) -> str:
    allowed = "" if entry.commercial else ", not for business"
    about = " · ".join(filter(None, (entry.suits, entry.engine, f"{entry.licence}{allowed}")))
    return (
        f"<li><b>{escape(entry.title or entry.name)}</b> <code>voice: {entry.name}</code>"
        f"<small>{escape(about)}</small>"
        f'<audio controls preload="metadata" src="{escape(name, quote=True)}"></audio></li>'
    )


_HTML = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>agi-bot voices</title>
<style>
body{font:16px/1.5 system-ui,sans-serif;margin:2em auto;padding:0 1em;max-width:64em;color:#222}
h2{margin:2em 0 .2em;border-bottom:1px solid #ccc}
.said{color:#555;margin:.4em 0 1em}
ul{list-style:none;padding:0;display:grid;gap:1em;grid-template-columns:repeat(auto-fill,minmax(18em,1fr))}
li{border:1px solid #ddd;border-radius:.5em;padding:.8em 1em}
code{background:#f3f3f3;padding:.1em .4em;border-radius:.3em;white-space:nowrap}
small{display:block;color:#666;margin:.2em 0 .6em}
audio{width:100%}
</style></head>
<body><h1>Voices as a caller hears them</h1>
<p>At 8 kHz, as on the telephone. The line beside a name goes into a flow, or into a step of it.</p>
GROUPS
</body></html>
"""
