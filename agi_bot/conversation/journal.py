"""Writes the call's record while the conversation goes on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

from agi_bot.contracts import Intent, Transcript
from agi_bot.conversation.prompt import Prompt
from agi_bot.conversation.shift import Shift
from agi_bot.flow.events import Action, Listen, PromptCut, Say
from agi_bot.record import CallRecord, Turn
from agi_bot.speech.bias import SPOKEN_DIGITS, Change


class Journal:
    """Fills ``record.turns``; a turn is what the bot said and what the caller answered to it."""

    def __init__(self, record: CallRecord) -> None:
        self.record = record
        self._answered: Turn | None = None
        self._step = ""
        self._question: int | None = None
        self._began: dict[int, int] = {}

    @property
    def turn(self) -> Turn:
        """The turn that is going on."""
        if not self.record.turns:
            self.record.turns.append(Turn())
        return self.record.turns[-1]

    def _unanswered(self) -> Turn:
        """The turn that is going on; a new one where the caller has answered, be it without words."""
        if self.turn.heard_to_ms is not None:
            self.record.turns.append(Turn(step=self.turn.step))
        return self.turn

    def began(self, prompt: Prompt, at_ms: int) -> int | None:
        """The first sample of ``prompt`` went out; answers the reply time when it answers the caller."""
        reply_ms = self._reply(at_ms)
        self._began.setdefault(prompt.number, at_ms)
        turn = self._unanswered()
        turn.said = f"{turn.said}{prompt.say.text}"
        turn.said_from_ms = at_ms if turn.said_from_ms is None else turn.said_from_ms
        return reply_ms

    def asks(self, actions: Sequence[Action]) -> None:
        """If the dialogue listens from now on: to what answers its first prompt among ``actions``."""
        if any(isinstance(action, Listen) for action in actions):
            self._question = next((action.prompt for action in actions if isinstance(action, Say)), None)

    def is_ahead(self, at_ms: int) -> bool:
        """Whether ``at_ms`` was before the first sound of the question, or that is still to come."""
        return self._question is not None and at_ms < self._began.get(self._question, at_ms + 1)

    def _reply(self, at_ms: int) -> int | None:
        turn, self._answered = self._answered, None
        if turn is None or turn.heard_to_ms is None:
            return None
        turn.reply_ms = max(0, at_ms - turn.heard_to_ms)
        return turn.reply_ms

    def ended(self, at_ms: int) -> None:
        """The last sample of a prompt went out."""
        self.turn.said_to_ms = at_ms

    def cut(self, prompt: PromptCut, at_ms: int) -> bool:
        """The caller interrupted ``prompt``, silent since ``at_ms``; ``False``: it had not begun."""
        if prompt.prompt not in self._began:
            return False
        self.turn.cut_after_words = prompt.words
        self.turn.said_to_ms = at_ms
        self.count("barge_ins")
        return True

    def heard(self, transcript: Transcript, from_ms: int, to_ms: int, *, shift: Shift) -> Turn:
        """The caller's turn ended; ``shift`` tells where the transcript's words stand in the recording."""
        turn = self._unanswered()
        turn.heard = transcript.text
        if not transcript.text.strip():
            turn.notes.append("a voice without words")
        turn.recognition_confidence = round(transcript.confidence, 3)
        turn.heard_from_ms, turn.heard_to_ms = from_ms, to_ms
        turn.words = tuple(
            replace(
                word,
                start_ms=word.start_ms + shift.at(word.start_ms),
                end_ms=word.end_ms + shift.at(word.end_ms),
            )
            for word in transcript.words
        )
        self._answered = turn
        return turn

    def corrected(self, turn: Turn, changes: Sequence[Change]) -> None:
        """Words of ``turn`` were taken for others; digits are told by their number, they may be anybody's."""
        for change in changes:
            number = change.meant in SPOKEN_DIGITS
            turn.notes.append(
                "a word understood as a digit" if number else f"{change.heard} understood as {change.meant}"
            )
            self.count("words_corrected")

    def keyed(self, keys: str, at_ms: int) -> Turn:
        """The caller pressed keys."""
        turn = self.turn
        turn.keys = f"{turn.keys}{keys}"
        turn.heard_to_ms = at_ms
        self._answered = turn
        return turn

    def understood(self, turn: Turn, intent: Intent, took_ms: float) -> None:
        """The words of ``turn`` were interpreted."""
        turn.intent, turn.confidence = intent.name, round(intent.confidence, 3)
        turn.entities = intent.entities
        turn.interpret_ms = round(took_ms, 2)
        usual = self.record.engines.get("nlu", intent.engine)
        # Without words nobody was asked: that is no engine that gave way to another.
        if intent.engine and intent.engine != usual:
            turn.notes.append(f"understood by {intent.engine}, not {usual}")
            self.count("fallback.interpreter")
        if intent.engine:
            self.record.engines.setdefault("nlu", intent.engine)

    def note(self, text: str) -> None:
        """Something unusual happened in this turn."""
        self.turn.notes.append(text)

    def failed(self, engine: str, error: Exception) -> None:
        """An engine is of no more use."""
        self.note(f"{engine}: {error}")
        self.count(f"engine_failed.{engine}")

    def at_step(self, step: str) -> None:
        """The dialogue is at ``step`` now; each step that is reached is counted (``step.NAME``)."""
        self.turn.step = step
        if step and step != self._step:
            self._step = step
            self.count(f"step.{step}")

    def count(self, what: str) -> None:
        """Count an event of the whole call."""
        self.record.counters[what] = self.record.counters.get(what, 0) + 1

    def reopen(self) -> None:
        """The end that was noted is none."""
        self.record.outcome = self.record.ended_by = self.record.transfer_to = ""

    def close(self, outcome: str, ended_by: str) -> None:
        """The bot's part ended."""
        self.record.outcome = self.record.outcome or outcome
        self.record.ended_by = self.record.ended_by or ended_by
        self.record.ended_at = datetime.now(UTC).astimezone(self.record.started_at.tzinfo)
