"""The dialogue: events of one call in, actions out; no I/O, no clock.

It is to a conversation what h11 is to HTTP.  Whatever comes in whatever order,
:meth:`Dialogue.receive` never raises, and every dialogue ends: by the flow, by its
ladders, or by its limits.

What an answer is taken for, in this order:

1. an intent under ``anywhere`` that ends or transfers the call (stop calling, a person);
2. while confirming: yes, a correction, no;
3. a value for a slot that the step collects;
4. an intent under the step's ``on``;
5. any other intent under ``anywhere`` (a question, "who are you");
6. free text, where the step collects text;
7. ``otherwise``, else the ladder ``unclear``.

What was begun before a new question could be heard answers it only with what has a meaning of
its own (1, 3, 4 but for yes, no and the intents of the question before, 5), else it is asked
anew.  While a hook runs only 1 counts.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from agi_bot.contracts import Intent, Value
from agi_bot.flow.builtin import AFFIRM, DENY, OTHERWISE
from agi_bot.flow.events import (
    Action,
    EngineFailed,
    Event,
    Heard,
    HookFailed,
    HookReturned,
    HungUp,
    Keyed,
    Noticed,
    PromptCut,
    PromptEnded,
    Silent,
    Started,
    TooLong,
    lacking,
)
from agi_bot.flow.filling import KEYED, Filled, from_keys
from agi_bot.flow.listening import missing_slots
from agi_bot.flow.moves import Moves
from agi_bot.flow.parts import HookCall, Way
from agi_bot.flow.state import LastHeard, Level, State
from agi_bot.flow.values import read_value

MOST_DENIALS = 2
"""Times a confirmation may be denied before it counts as not understood."""


class Dialogue(Moves):
    """One call's dialogue over ``flow``.

    Attributes: ``slots``, ``outcome``, ``tags``, ``step``, ``result_class``, ``transfer_to``,
    ``variants`` (A/B wordings used), ``ended``, ``trace`` (ways taken, for coverage).
    ``task`` are typed values (:meth:`Flow.read_task`); ``seed`` (the call's id) chooses A/B wordings.
    """

    def receive(self, event: Event) -> list[Action]:
        """What to do about ``event``; empty when nothing, always empty after the end."""
        if self.ended or (
            self._state is State.NEW and not isinstance(event, Started | HungUp | TooLong | EngineFailed)
        ):
            return []
        self._actions, self._moves = [], 0
        self._mouth.begin_event()
        _HANDLERS[type(event)](self, event)
        self._run()
        self._flush()
        return self._actions

    # --- events ------------------------------------------------------------------------

    def _started(self, event: Started) -> None:
        if self._state is State.NEW:
            self._mouth.now = event.now
            self._state = State.LISTENING
            self._target = self.flow.script.start

    def _on_heard(self, event: Heard) -> None:
        if self._state is State.HOOK:
            self._heard_meanwhile(event)
            return
        if self._state is not State.LISTENING or self._too_many_answers():
            return
        self._heard = LastHeard(event.transcript.text, event.intent.entities)
        self._asking.silence = 0
        if event.ahead and self._asking.new:
            self._heard_ahead(event.intent)
            return
        self._is_answered()
        self._understand(event.intent)

    def _is_answered(self) -> None:
        """What comes now answers the open question."""
        self._asking.new = False
        self._answered_on = frozenset(self._step.on)

    def _heard_meanwhile(self, event: Heard) -> None:
        """While a hook runs only a way out of the call counts, and then nobody waits for the hook any more."""
        waiting, heard, self._waiting = self._waiting, self._heard, None
        self._heard = LastHeard(event.transcript.text, event.intent.entities)
        if not self._take_anywhere(event.intent.name, leaving=True):
            self._waiting, self._heard = waiting, heard

    def _heard_ahead(self, intent: Intent) -> None:
        """Begun before the question could be heard: a yes, a no, or an answer to the one before is none to it."""
        if self._take_anywhere(intent.name, leaving=True):
            return
        if intent.name in {AFFIRM, DENY, *self._answered_on}:
            intent = replace(intent, name="")
        if self._asking.confirming:
            counts = self._corrects(intent)
        else:
            counts = self._fills(intent) or self._take_on(intent.name)
        if not (counts or self._take_anywhere(intent.name, leaving=False)):
            self._ask_anew()

    def _keyed(self, event: Keyed) -> None:
        if self._state is not State.LISTENING or self._too_many_answers():
            return
        self._asking.silence = 0
        self._is_answered()
        ways = self._step.keys.get(event.keys)
        if ways and self._follow_first(ways, self._level, "keys", event.keys):
            return
        if self._key_fills(event.keys) or self._key_anywhere(event.keys):
            return
        self._climb("unclear")

    def _silent(self, _: Silent) -> None:
        if self._state is not State.LISTENING or self._too_many_answers():
            return
        self._is_answered()
        if self._step.wait is not None and not self._asking.confirming:
            self._go_on()
        else:
            self._climb("silence")

    def _hook_returned(self, event: HookReturned) -> None:
        waiting = self._waiting
        if waiting is None or waiting.hook != event.hook:
            return
        if waiting.way is not None:
            self._answered(waiting.way, self._levels[waiting.level], event.values)
        elif waiting.call is not None and self._save(waiting.call, event.values):
            self._waiting = None
            self._perform()
        else:
            self._hook_failed(
                HookFailed(event.hook, "the answer lacks a value that the flow saves, or has one of another kind")
            )

    def _hook_failed(self, event: HookFailed) -> None:
        waiting = self._waiting
        if waiting is None or waiting.hook != event.hook:
            return
        self._waiting = None
        self._state = State.LISTENING
        if waiting.call is None:
            self._climb("unclear")
        elif not self._follow_first(waiting.call.failed or (), self._level, "failed"):
            self._trouble("hook")

    def _noticed(self, event: Noticed) -> None:
        self.moods = frozenset(event.moods)

    def _hung_up(self, _: HungUp) -> None:
        self._close(self.outcome or "hung_up")

    def _too_long(self, _: TooLong) -> None:
        self._note("too_long", "")
        own = self.flow.script.too_long
        self._levels = self._levels[:1]
        ways = own if own and all(way.leaves for way in own) else self._defaults.too_long
        if not self._follow_first(ways, self._level, "too_long"):
            self._follow(self._defaults.too_long[0], self._level)

    def _engine_failed(self, event: EngineFailed) -> None:
        self._waiting = None
        self._mouth.mute = event.engine == "voice"
        if self._state is State.NEW:
            self._end("error")
        else:
            self._trouble(event.engine)

    def _prompt_cut(self, _: PromptCut) -> None:
        self._asking.cut = True

    def _prompt_ended(self, event: PromptEnded) -> None:
        self._spoken = event.prompt

    # --- understanding -----------------------------------------------------------------

    def _understand(self, intent: Intent) -> None:
        name = intent.name
        if self._take_anywhere(name, leaving=True):
            return
        if self._asking.confirming:
            self._confirmation(intent)
        elif not (self._fills(intent) or self._take_on(name) or self._take_anywhere(name, leaving=False)):
            self._last_chances()

    def _take_on(self, name: str) -> bool:
        return bool(name) and self._follow_first(self._step.on.get(name, ()), self._level, "on", name)

    def _take_anywhere(self, name: str, *, leaving: bool) -> bool:
        """Follow the ``anywhere`` way of ``name``, the innermost flow's first, unless the step has its own."""
        if not name or name in self._step.on:
            return False
        for level in reversed(self._levels):
            ways = level.flow.script.anywhere.get(name, ())
            chosen = next((way for way in ways if self._open(way, level)), None)
            if chosen is not None:
                return chosen.leaves == leaving and self._follow_first(ways, level, "anywhere", name)
        return False

    def _last_chances(self) -> None:
        if self._free_text() or self._take_on(OTHERWISE) or self._take_anywhere(OTHERWISE, leaving=False):
            return
        self._climb("unclear")

    def _fills(self, intent: Intent) -> bool:
        """Whether the answer has a value (or half of one) for a slot that is still missing."""
        step = self._step
        if not step.collect:
            return False
        filled = self._filled({name: step.collect[name] for name in missing_slots(self._level)}, intent.entities)
        self._yes_or_no(filled, intent.name)
        if not filled.values and not filled.halves:
            self._asking.remember(self._heard.text)
            return False
        self._take_in(filled)
        return True

    def _yes_or_no(self, filled: Filled, intent: str) -> None:
        if intent not in (AFFIRM, DENY) or intent in self._step.on:
            return
        for name in missing_slots(self._level):
            if self._step.collect[name].type == "boolean":
                filled.values[name] = intent == AFFIRM
                return

    def _free_text(self) -> bool:
        said = self._heard.text.strip()
        slots = (name for name in missing_slots(self._level) if self._step.collect[name].type == "text")
        name = next(slots, None)
        if name is None or not said:
            return False
        self._take_in(Filled({name: said}))
        return True

    def _confirmation(self, intent: Intent) -> None:
        if self._corrects(intent):
            return
        if intent.name == AFFIRM:
            self._note("confirm", "yes")
            self._asking.confirming = False
            self._go_on()
        elif intent.name == DENY:
            self._denied()
        elif not (self._take_on(intent.name) or self._take_anywhere(intent.name, leaving=False)):
            self._climb("unclear")

    def _corrects(self, intent: Intent) -> bool:
        filled = self._filled(self._step.collect, intent.entities)
        changed = {name: value for name, value in filled.values.items() if value != self._level.values.get(name)}
        if changed:
            self._take_in(Filled(changed))
        return bool(changed)

    def _denied(self) -> None:
        self._note("confirm", "no")
        self._asking.denials += 1
        if self._asking.denials > MOST_DENIALS:
            self._climb("unclear")
            return
        self._asking.confirming = False
        self._asking.before = ()
        for slot in self._step.collect:
            self._level.put(slot, None)
        self._ask_on(self._step)

    # --- keys --------------------------------------------------------------------------

    def _key_fills(self, keys: str) -> bool:
        if self._asking.confirming:
            return False
        for name in missing_slots(self._level):
            spec = self._step.collect[name]
            value = from_keys(spec, keys) if spec.type in KEYED else None
            if value is not None:
                self._take_in(Filled({name: value}))
                return True
        return False

    def _key_anywhere(self, keys: str) -> bool:
        for level in reversed(self._levels):
            script = level.flow.script
            if keys in script.keys and self._follow_first(script.keys[keys], level, "keys", keys):
                return True
            if keys in script.keys_mean:
                self._understand(Intent(script.keys_mean[keys], 1.0, engine="keys"))
                return True
        return False

    # --- hooks -------------------------------------------------------------------------

    def _save(self, call: HookCall, values: Mapping[str, Value]) -> bool:
        """Whether the answer has every value that the flow saves, each of its kind."""
        if lacking(call.save, values):
            return False
        try:
            typed = {slot: read_value(values[slot], kind) for slot, kind in call.save.items()}
        except ValueError:
            return False
        for slot, value in typed.items():
            self._level.put(slot, value, call.save[slot])
        return True

    def _answered(self, way: Way, level: Level, values: Mapping[str, Value]) -> None:
        answer = values.get("answer")
        self._waiting = None
        if not isinstance(answer, str) or not answer.strip():
            self._climb("unclear")
            return
        self._asking.unclear = 0
        self._answer_id = str(values.get("id", ""))
        self._mouth.answer(answer.strip())
        self._arrive(way, level)

    def _too_many_answers(self) -> bool:
        self._mouth.begin_turn()
        self._answers += 1
        if self._answers > self.flow.script.limits.turns:
            self._trouble("turns")
            return True
        return False


_HANDLERS: Mapping[type, Callable[[Dialogue, Any], None]] = {
    Started: Dialogue._started,
    Heard: Dialogue._on_heard,
    Keyed: Dialogue._keyed,
    Silent: Dialogue._silent,
    HookReturned: Dialogue._hook_returned,
    HookFailed: Dialogue._hook_failed,
    Noticed: Dialogue._noticed,
    HungUp: Dialogue._hung_up,
    TooLong: Dialogue._too_long,
    EngineFailed: Dialogue._engine_failed,
    PromptEnded: Dialogue._prompt_ended,
    PromptCut: Dialogue._prompt_cut,
}
