"""Every limit of turn-taking."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace

from agi_bot.errors import ConfigError


@dataclass(frozen=True, slots=True)
class TurnSettings:
    """Every limit of turn-taking, ms.

    ``quick_ms``..``wordless_ms``: silence after which a turn ends (see
    :mod:`agi_bot.speech.turns`).
    ``rise_ms``: a turn whose silence is over waits so long for sound that may be the caller who
    goes on (voice activity knows a voice some 100 ms late).
    ``unheard_ms``: voice of this length without words is an answer that was not understood;
    shorter, it was a cough and is dropped.
    ``stable_ms``: a partial that did not change for so long is understood early.
    ``sure``: intent confidence from which an early intent counts.
    ``max_turn_ms``: longest turn, then the bot may interrupt politely.
    ``pause_ms``: sound of the caller after which a speaking bot pauses.
    ``pause_on_words``: a bot pauses for words only, unless sound lasts ``insist_ms``.
    ``insist_ms``: sound of this length takes the turn even without words.
    ``words_ms``: words that did not change for so long, or after which there is silence, take
    the turn from a paused bot; the first guess at a backchannel may be another word.
    ``doubt_ms``: a pause without words lasts no longer than this, whatever sound goes on
    (but for ``insist_ms``).
    ``nod_ms``: a backchannel that did not change for so long lets a paused bot go on.
    ``alarms``: after so many false alarms in a row the bot pauses for words only, and stops for
    what it understood or what goes on although it is silent (an echo, a noisy place); after
    twice as many it pauses for what it understood only.
    ``echo_tail_ms``: a voice that falls silent so soon after the bot paused for it may be its
    echo, and counts as a false alarm, words or not.
    ``gap_ms``: sounds further apart than this are not one voice.
    ``false_alarm_ms``: silence after a pause without words, until the bot goes on.
    ``backchannel_ms``: silence after a backchannel, until the bot goes on.
    ``answer_ms``: a backchannel that answers the question takes the turn when no more than
    this is left of the prompt; before that nobody has heard a question.
    ``barge_in``: whether callers may interrupt at all; what is said meanwhile is heard anyway.
    """

    quick_ms: int = 180
    sure_ms: int = 380
    normal_ms: int = 440
    value_ms: int = 900
    open_ms: int = 1100
    wait_ms: int = 4000
    wordless_ms: int = 600
    rise_ms: int = 160
    unheard_ms: int = 400
    stable_ms: int = 80
    sure: float = 0.6
    max_turn_ms: int = 20_000
    pause_ms: int = 64
    pause_on_words: bool = False
    insist_ms: int = 700
    words_ms: int = 200
    doubt_ms: int = 360
    nod_ms: int = 80
    alarms: int = 3
    echo_tail_ms: int = 250
    false_alarm_ms: int = 140
    gap_ms: int = 200
    backchannel_ms: int = 96
    answer_ms: int = 1500
    barge_in: bool = True

    def with_limits(self, limits: Mapping[str, int], *, barge_in: bool = True) -> TurnSettings:
        """These settings with single limits, ms, of one's own.  Raises :class:`~agi_bot.errors.ConfigError`."""
        known = [each.name for each in fields(self) if each.name.endswith("_ms")]
        for name, value in limits.items():
            if name not in known:
                near = difflib.get_close_matches(name, known, n=1)
                cure = f"did you mean {near[0]}?" if near else f"there are: {', '.join(known)}"
                raise ConfigError(f"turns.limits: there is no limit {name}", cure=cure)
            if value < 0:
                raise ConfigError(f"turns.limits: {name} is {value}; it is a time in ms, from 0 on")
        return replace(self, barge_in=barge_in, **limits)  # type: ignore[arg-type]

    def with_patience(self, patience_ms: int) -> TurnSettings:
        """These settings with a step's own patience: the pause inside a turn that is waited for."""
        if patience_ms <= 0:
            return self
        longer = max(self.open_ms, patience_ms)
        return replace(
            self,
            quick_ms=min(self.quick_ms, patience_ms),
            sure_ms=patience_ms,
            normal_ms=patience_ms,
            value_ms=max(self.value_ms, patience_ms),
            open_ms=longer,
        )


class StepSettings:
    """Settings of a call with those of its present step, put together only when the step's change."""

    def __init__(self, settings: TurnSettings) -> None:
        self._settings = self._together = settings
        self._patience_ms = 0
        self._limits: Mapping[str, int] = {}

    def of(self, patience_ms: int, limits: Mapping[str, int]) -> TurnSettings:
        """With a step's patience, and its single limits over that."""
        if patience_ms != self._patience_ms or limits is not self._limits:
            patient = self._settings.with_patience(patience_ms)
            self._together = patient.with_limits(limits, barge_in=patient.barge_in)
            self._patience_ms, self._limits = patience_ms, limits
        return self._together


QUICK = TurnSettings(quick_ms=150, sure_ms=300, normal_ms=350, value_ms=700, open_ms=900)
PATIENT = TurnSettings(quick_ms=350, sure_ms=650, normal_ms=800, value_ms=1300, open_ms=1800)
PRESETS: Mapping[str, TurnSettings] = {"quick": QUICK, "normal": TurnSettings(), "patient": PATIENT}
"""Settings by the name of ``turns.preset``."""
