"""Whose turn is it?  End of turn and barge-in.  Pure: no I/O, no clock.

:class:`TurnTaker` is told, at every frame and whenever a partial or an intent changes, what
is known; it answers with a :class:`Decision`.  All times are ms of the call's sound.

The end of a turn is decided by what was said, not by a fixed silence::

    it answers the question and nothing more is to be expected
    ("可以", "yes please", "能改到后天吗", a date where one is asked) -> quick_ms
    it answers the question, but more may come ("我那天没空 ...")    -> sure_ms
    it was not understood, or does not belong to the question      -> normal_ms
    the step waits for a date or a number that is not there yet    -> value_ms
    it ends in 嗯, 那个, 然后, "um", "and", "my number is"            -> open_ms
    sound without words                                            -> wordless_ms

While the bot speaks, voice of the caller first pauses it, words that are more than a
backchannel make it stop, and when nothing comes of it the bot goes on: at a backchannel as
soon as that is known, even while it is still sounding.
"""

from __future__ import annotations

from dataclasses import replace

from agi_bot.speech.turn_settings import PRESETS, StepSettings, TurnSettings
from agi_bot.speech.turn_values import Act, Asks, Decision, Now, Question
from agi_bot.speech.words import ends_with, is_foreign, is_made_of, plain, words_of

__all__ = ["PRESETS", "Act", "Asks", "Decision", "Now", "Question", "TurnSettings", "TurnTaker"]

_OPEN_KINDS = frozenset({"number", "digits", "plate", "address"})
"""Values of no fixed length, said in groups with pauses: one that was found may still grow."""

_FIXED_KINDS = frozenset({"phone", "id"})
"""Values that are said in groups, and found only when they are whole."""

_ECHO_CHARACTERS = 3
_ECHO_WORDS = 3


class TurnTaker:
    """One call's judge of turns."""

    def __init__(self, settings: TurnSettings | None = None, language: str = "zh-CN") -> None:
        self._settings = StepSettings(settings or TurnSettings())
        self._language = language
        self._words = words_of(language)
        self._alarms = 0
        self._over_ms = -1
        self._reset()

    @property
    def in_turn(self) -> bool:
        """The caller has begun to speak and the turn has not ended."""
        return self._from_ms >= 0

    def drop(self, now_ms: int) -> None:
        """Forget the turn in progress; what sounds from ``now_ms`` on is another one."""
        self._reset()
        self._over_ms = now_ms

    def _reset(self) -> None:
        self._from_ms = self._to_ms = self._changed_ms = self._paused_ms = -1
        self._voiced_ms = 0
        self._partial = self._asked = ""
        self._paused = self._stopped = self._nodded = False

    def update(self, now: Now, asks: Asks, *, from_ms: int = -1, to_ms: int = -1) -> Decision:
        """What follows from ``now``.

        ``from_ms``/``to_ms``: where the present stretch of speech began and its last sound,
        as the voice activity detector knows them (-1: ``now_ms``).
        """
        settings = self._settings.of(asks.patience_ms, asks.turns)
        now = now if settings.barge_in else replace(now, interruptible=False)
        self._note(now, settings, from_ms, to_ms)
        if not self.in_turn:
            return Decision()
        decision = self._decide(now, asks, settings)
        if decision.act in (Act.END, Act.DROP, Act.RESUME, Act.TOO_LONG):
            self._reset()
            self._over_ms = now.now_ms
        elif decision.act is Act.NOTHING:
            decision = replace(decision, understand=self._to_understand(now, settings))
        return decision

    def _note(self, now: Now, settings: TurnSettings, from_ms: int, to_ms: int) -> None:
        if now.speech:
            sound_ms = to_ms if to_ms >= 0 else now.now_ms
            if not self.in_turn:
                # Who speaks without end begins a new turn where the last one was cut.
                self._from_ms = self._to_ms = max(from_ms if from_ms >= 0 else now.now_ms, self._over_ms)
            # A gap is no voice: count from where the present stretch began, and after a long
            # one anew, or clicks would add up to a voice.
            if from_ms - self._to_ms > settings.gap_ms:
                self._voiced_ms = 0
            self._voiced_ms += max(0, sound_ms - max(self._to_ms, from_ms))
            self._to_ms = max(self._to_ms, sound_ms)
        if now.partial != self._partial:
            self._partial, self._changed_ms = now.partial, now.now_ms

    def _decide(self, now: Now, asks: Asks, settings: TurnSettings) -> Decision:
        if now.bot_speaking and not self._stopped:
            return self._over_the_bot(now, asks, settings)
        if now.now_ms - self._from_ms >= settings.max_turn_ms:
            return self._say(Act.TOO_LONG, "max_turn", 0)
        if now.speech:
            return Decision()
        return self._after_silence(now, asks, settings)

    # --- the bot is speaking ---------------------------------------------------------

    def _over_the_bot(self, now: Now, asks: Asks, settings: TurnSettings) -> Decision:
        if not _is_echo(now) and self._answers(now, asks, settings):
            return self._interrupt(now, asks, settings)
        if not now.speech:
            return self._false_alarm(now, settings)
        if self._paused and (why := self._means_nothing(now, asks, settings)):
            self._paused, self._nodded = False, True
            return self._say(Act.GO_ON, why, 0)
        if now.interruptible and self._worth_a_pause(now, settings):
            return self._pause("voice", now.now_ms)
        return Decision()

    def _means_nothing(self, now: Now, asks: Asks, settings: TurnSettings) -> str:
        """Why a paused bot may go on while there is still sound; words that follow stop it again."""
        if not plain(now.partial) or self._is_gibberish(now, settings):
            doubtful = not now.certain and now.now_ms - self._paused_ms >= settings.doubt_ms
            return "no_words" if doubtful else ""
        stable = now.now_ms - self._changed_ms >= settings.nod_ms
        return "backchannel" if stable and self._only_backchannel(asks) else ""

    def _answers(self, now: Now, asks: Asks, settings: TurnSettings) -> bool:
        """More than a backchannel was said, or a backchannel that answers the question."""
        if self._alarms >= settings.alarms and not self._is_trusted(now, settings):
            return False
        if self._voiced_ms >= settings.insist_ms and not self._only_backchannel(asks) and not now.echo:
            return True
        if not plain(now.partial) or is_made_of(now.partial, self._words.hesitation):
            return False
        if _is_syllable(now.partial) and not self._fits_question(now, asks, settings):
            return False
        if self._is_gibberish(now, settings):
            return False
        return not self._only_backchannel(asks) or self._is_answer(now, asks, settings)

    def _is_gibberish(self, now: Now, settings: TurnSettings) -> bool:
        """A recogniser of two languages makes words of the other one of a cough; some are understood, and count."""
        return is_foreign(now.partial, self._language) and not self._sure(now, settings)

    def _is_trusted(self, now: Now, settings: TurnSettings) -> bool:
        """On a line of false alarms: it was understood, or went on although the bot fell silent, as no echo does."""
        went_on = self._paused and self._to_ms - self._paused_ms >= settings.insist_ms
        return self._sure(now, settings) or went_on

    def _fell_silent_with_the_bot(self, settings: TurnSettings) -> bool:
        return self._paused and self._to_ms - self._paused_ms <= settings.echo_tail_ms

    def _fits_question(self, now: Now, asks: Asks, settings: TurnSettings) -> bool:
        return bool(asks.needed) or (self._sure(now, settings) and self._expects(now, asks))

    def _only_backchannel(self, asks: Asks) -> bool:
        return is_made_of(self._partial, self._words.backchannel | frozenset(asks.backchannel))

    def _is_answer(self, now: Now, asks: Asks, settings: TurnSettings) -> bool:
        """A backchannel answers where the prompt has come to its question and the step expects it."""
        return (
            now.left_ms <= settings.answer_ms
            and bool(asks.expected)
            and not asks.needed
            and self._sure(now, settings)
            and self._expects(now, asks)
        )

    def _interrupt(self, now: Now, asks: Asks, settings: TurnSettings) -> Decision:
        if not now.interruptible:
            # Heard and kept: it counts when the protected words are over.
            return Decision()
        if not self._has_settled(now, settings):
            return self._pause("words", now.now_ms)
        self._stopped = True
        if self._is_trusted(now, settings):
            self._alarms = 0
        else:
            self._alarms += self._fell_silent_with_the_bot(settings)
        return self._say(Act.STOP, "words" if plain(now.partial) else "voice", 0)

    def _has_settled(self, now: Now, settings: TurnSettings) -> bool:
        """The words are no first guess, which for 是的 may be 十; the bot is silent in the meantime."""
        stable = now.now_ms - self._changed_ms >= settings.words_ms and not _is_syllable(now.partial)
        return stable or not now.speech or self._voiced_ms >= settings.insist_ms

    def _pause(self, why: str, now_ms: int) -> Decision:
        if self._paused:
            return Decision()
        self._paused, self._paused_ms = True, now_ms
        return self._say(Act.PAUSE, why, 0)

    def _worth_a_pause(self, now: Now, settings: TurnSettings) -> bool:
        if self._nodded:
            return False
        if settings.pause_on_words or now.echo or self._alarms >= settings.alarms:
            words = bool(plain(now.partial)) and not _is_echo(now)
            return words and self._voiced_ms >= settings.pause_ms and self._may_mean_it(now, settings)
        return self._voiced_ms >= settings.pause_ms

    def _may_mean_it(self, now: Now, settings: TurnSettings) -> bool:
        """After many false alarms words alone are too little: a demo model makes words of an echo."""
        if self._alarms < 2 * settings.alarms:
            return True
        return self._sure(now, settings)

    def _false_alarm(self, now: Now, settings: TurnSettings) -> Decision:
        silence = now.now_ms - self._to_ms
        # Words that go on are no backchannel yet: 我 ... 要改时间.
        goes_on = (now.rising or now.certain) and bool(plain(now.partial))
        if silence < self._alarm_limit(now, settings) + settings.rise_ms * goes_on:
            return Decision()
        why = "echo" if _is_echo(now) else "backchannel" if plain(now.partial) else "no_words"
        self._alarms += self._paused and (why != "backchannel" or self._fell_silent_with_the_bot(settings))
        return self._say(Act.RESUME if self._paused else Act.DROP, why, silence)

    def _alarm_limit(self, now: Now, settings: TurnSettings) -> int:
        """Silence after which what was heard over the bot was nothing."""
        if not plain(now.partial):
            return settings.false_alarm_ms
        # 不 is an answer, but only the interpreter knows.
        unknown = _is_syllable(now.partial) and now.intent_of != now.partial and not self._is_nod(now)
        return settings.doubt_ms if unknown else settings.backchannel_ms

    def _is_nod(self, now: Now) -> bool:
        return is_made_of(now.partial, self._words.backchannel | self._words.hesitation)

    # --- the caller has the turn -----------------------------------------------------

    def _after_silence(self, now: Now, asks: Asks, settings: TurnSettings) -> Decision:
        silence = now.now_ms - self._to_ms
        limit, why = self._limit(now, asks, settings)
        if silence < limit + settings.rise_ms * (now.rising or now.certain):
            return Decision()
        cough = why == "no_words" and not self._stopped and self._voiced_ms < settings.unheard_ms
        return self._say(Act.DROP if cough else Act.END, why, silence)

    def _limit(self, now: Now, asks: Asks, settings: TurnSettings) -> tuple[int, str]:
        text = plain(now.partial)
        if not text:
            return settings.wordless_ms, "no_words"
        if ends_with(text, self._words.wait):
            return settings.wait_ms, "asked_to_wait"
        if self._is_open(text, now, asks):
            return settings.open_ms, "open"
        if asks.needed and not self._has_value(now, asks):
            return settings.value_ms, "value_missing"
        if not self._answered(now, asks, settings) or self._asks_for(asks, _OPEN_KINDS):
            return settings.normal_ms, "silence"
        # 行 is no date: where one is asked, it is more likely the begin of one, misheard.
        closed = self._is_closed(text, now, asks) and (not asks.needed or self._found_all(now, asks))
        return (settings.quick_ms, "complete") if closed else (settings.sure_ms, "answered")

    def _is_open(self, text: str, now: Now, asks: Asks) -> bool:
        if is_made_of(text, self._words.hesitation):
            return bool(asks.needed) or not (self._expects(now, asks) and self._only_backchannel(asks))
        return ends_with(text, self._words.open)

    def _answered(self, now: Now, asks: Asks, settings: TurnSettings) -> bool:
        """What was said is understood for sure and is what the step waits for."""
        return self._sure(now, settings) and (self._expects(now, asks) or bool(asks.needed))

    def _is_closed(self, text: str, now: Now, asks: Asks) -> bool:
        """Nothing more is to be expected after ``text``, which is an answer."""
        if self._asks_for(asks, _FIXED_KINDS):
            return False
        # 嗯 alone may be a yes, and the breath before one.
        spoken = not is_made_of(text, self._words.hesitation)
        closed = spoken and is_made_of(text, self._words.closed | self._words.hesitation)
        return closed or self._found_all(now, asks) or ends_with(text, self._words.closing)

    def _sure(self, now: Now, settings: TurnSettings) -> bool:
        intent = now.intent
        return intent is not None and now.intent_of == now.partial and intent.confidence >= settings.sure

    @staticmethod
    def _expects(now: Now, asks: Asks) -> bool:
        return now.intent is not None and now.intent.name in asks.expected

    def _has_value(self, now: Now, asks: Asks) -> bool:
        if now.intent is None or now.intent_of != now.partial:
            return False
        return self._found_all(now, asks) or now.intent.name in asks.expected

    @staticmethod
    def _found_all(now: Now, asks: Asks) -> bool:
        """The step wants values, and all of them were said."""
        found = {entity.kind for entity in now.intent.entities} if now.intent else set()
        return bool(asks.needed) and all(_fits(kind, found) for kind in asks.needed)

    @staticmethod
    def _asks_for(asks: Asks, kinds: frozenset[str]) -> bool:
        return any(kind in kinds for kind in asks.needed)

    def _to_understand(self, now: Now, settings: TurnSettings) -> str:
        if not plain(now.partial) or now.partial in (self._asked, now.intent_of):
            return ""
        if now.speech and now.now_ms - self._changed_ms < settings.stable_ms:
            return ""
        self._asked = now.partial
        return now.partial

    def _say(self, act: Act, why: str, silence: int) -> Decision:
        return Decision(act, why, silence_ms=silence, from_ms=self._from_ms, to_ms=self._to_ms)


def _is_syllable(text: str) -> bool:
    """One Chinese character: over the bot's voice it is a nod, a breath, or the begin of more."""
    return len(text := plain(text)) == 1 and not text.isascii()


def _is_echo(now: Now) -> bool:
    """On a line with an echo: the partial is a piece of what the bot says itself, and too long for chance.

    Elsewhere callers repeat its words: 转人工, where the prompt offers it.
    """
    if not now.echo:
        return False
    text, said = plain(now.partial), plain(now.bot_text)
    if text.isascii():
        return len(text.split()) >= _ECHO_WORDS and f" {text} " in f" {said} "
    return len(text) >= _ECHO_CHARACTERS and text.replace(" ", "") in said.replace(" ", "")


def _fits(kind: str, found: set[str]) -> bool:
    if kind == "datetime":
        return "datetime" in found or {"date", "time"} <= found
    return kind in found or kind in ("text", "any")
