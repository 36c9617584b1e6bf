"""The conversation as it happens, on the terminal, and the summary at its end."""

from __future__ import annotations

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from agi_bot.conversation.progress import BotInterrupted, BotSpeaks, CallerSpoke, Over, PartlyHeard, Progress
from agi_bot.record import CallRecord, Turn


class Terminal:
    """Prints to ``console`` who says what, what was heard and understood, and how long the reply took."""

    def __init__(self, console: Console) -> None:
        self._console = console

    def watch(self, event: Progress) -> None:
        """A watcher of one conversation."""
        match event:
            case BotSpeaks(text=text, reply_ms=reply_ms):
                after = f"  [dim]{reply_ms} ms after the caller's last sound[/dim]" if reply_ms is not None else ""
                self._console.print(f"[bold cyan]bot   [/bold cyan] {escape(text)}{after}")
            case BotInterrupted(words=words):
                self._console.print(f"[dim]       (interrupted after {words} words)[/dim]")
            case PartlyHeard(text=text):
                if text and self._console.is_terminal:
                    self._console.print(f"[dim]       … {escape(text)}[/dim]", end="\r")
            case CallerSpoke(turn=turn):
                self._caller(turn)
            case Over():
                pass

    def _caller(self, turn: Turn) -> None:
        said = escape(turn.heard or f"keys {turn.keys}")
        self._console.print(f"[bold green]caller[/bold green] {said}" + " " * 20)
        entities = ", ".join(f"{entity.kind}={entity.value}" for entity in turn.entities)
        meaning = f"{turn.intent or 'not understood'} {turn.confidence if turn.confidence is not None else ''}"
        self._console.print(f"[dim]       → {escape(meaning)} {escape(entities)}[/dim]")


def summary(record: CallRecord) -> Table:
    """The turns as a table."""
    by = f", answered by {record.answered_by} ({record.answered_by_why})" if record.answered_by else ""
    table = Table(title=escape(f"{record.flow}: {record.outcome}{by}"))
    for name in ("said", "heard", "intent", "confidence", "reply ms"):
        table.add_column(name, overflow="fold", justify="right" if name in ("confidence", "reply ms") else "left")
    for turn in record.turns:
        table.add_row(
            escape(turn.said),
            escape(turn.heard or turn.keys),
            turn.intent,
            "" if turn.confidence is None else f"{turn.confidence:.2f}",
            "" if turn.reply_ms is None else str(turn.reply_ms),
        )
    return table
