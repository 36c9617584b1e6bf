"""The verbs of a dialogue: say, go to a step, ask, listen, call a hook, end."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, time

from agi_bot.contracts import Entity, Value
from agi_bot.flow.evaluation import holds
from agi_bot.flow.events import End, Mark, RunHook, Span, Transfer
from agi_bot.flow.expression import parse_expression
from agi_bot.flow.filling import Filled, answered_ahead, fill
from agi_bot.flow.ground import Ground
from agi_bot.flow.listening import ladder_of, listening, missing_slots
from agi_bot.flow.mouth import manner
from agi_bot.flow.parts import HookCall, Slot, Way, Wording
from agi_bot.flow.script import Step
from agi_bot.flow.state import Asking, LastHeard, Level, State, Waiting, computed, first_level
from agi_bot.flow.wording import raw_text

MOST_MOVES = 100
"""Steps that may be passed without an answer of the caller."""


OWN_FILLER_AFTER_MS = 800
FILLER_AFTER_MS = 1500
"""When the built-in filler is said: later than one that an author wrote."""

MOST_AHEAD = 2
"""Times a question is asked anew for somebody who spoke before it could be heard."""


class Moves(Ground):
    """What a dialogue can do; :class:`~agi_bot.flow.dialogue.Dialogue` decides when."""

    # --- going -------------------------------------------------------------------------

    def _run(self) -> None:
        """Enter steps until one waits."""
        while self._target is not None and not self.ended:
            name, self._target = self._target, None
            self._enter(name)

    def _enter(self, name: str) -> None:
        level = self._level
        if manner(level, name, self.flow.voice) != manner(level, level.step_name, self.flow.voice):
            self._flush()
        level.step_name = name
        level.visits[name] += 1
        self._moves += 1
        self._asking = Asking()
        self._note("step", "")
        step = level.step
        if level.visits[name] > (step.visits or self.flow.script.limits.visits) or self._moves > MOST_MOVES:
            self._trouble("loop")
        elif step.call:
            self._call(step.call)
        else:
            self._perform()

    def _perform(self) -> None:
        """What a step does once its hook has answered."""
        level, step = self._level, self._step
        for slot in step.collect:
            level.put(slot, None)
        for slot, written in step.set.items():
            level.put_computed(slot, written, self._scope())
        self._mark(step.mark, step.result)
        self._say(step.say, "say", step.protect)
        if step.flow:
            self._push(step)
        elif step.collect:
            self._take_in(self._filled(answered_ahead(step.collect), self._heard.entities))
        elif step.listens:
            self._say(step.ask, "ask", step.protect)
            self._listen()
        elif step.leaves:
            self._leave(step.end, step.transfer, step.hang_up)
        else:
            self._go_on()

    def _go_on(self) -> None:
        """Leave a step that is done by its ``next``."""
        if not self._follow_first(self._step.next or (), self._level, "next"):
            self._trouble("no way on")

    def _follow_first(self, ways: Sequence[Way], level: Level, edge: str, key: str = "") -> bool:
        """Follow the first of ``ways`` whose condition holds; false where none does."""
        for index, way in enumerate(ways):
            if self._open(way, level):
                self._note(edge, f"{key}#{index}" if len(ways) > 1 else key)
                if edge in ("on", "anywhere", "keys") and not way.knowledge:
                    self._asking.unclear = 0
                self._follow(way, level)
                return True
        return False

    def _open(self, way: Way, level: Level) -> bool:
        return way.when is None or holds(parse_expression(way.when), self._scope(level))

    def _follow(self, way: Way, level: Level) -> None:
        for slot, written in way.set.items():
            level.put_computed(slot, written, self._scope(level))
        self._mark(way.mark, way.result)
        self._say(way.say, "way", way.protect, level)
        if way.knowledge:
            self._ask_knowledge(way, level)
        else:
            self._arrive(way, level)

    def _arrive(self, way: Way, level: Level) -> None:
        if way.leaves:
            self._unwind(level)
            self._leave(way.end, way.transfer, way.hang_up)
        elif way.next:
            self._unwind(level)
            self._target = way.next
        elif way.then == "return":
            self._ask_again()
        elif way.then == "repeat":
            self._mouth.repeat()
            self._listen()
        else:
            self._listen()

    def _unwind(self, level: Level) -> None:
        while self._levels[-1] is not level:
            self._levels.pop()

    def _push(self, step: Step) -> None:
        part = self._level.flow.parts[step.flow or ""]
        given = {name: computed(written, self._scope()) for name, written in step.with_.items()}
        self._levels.append(first_level(part, {name: value for name, value in given.items() if value is not None}))
        self._target = part.script.start

    # --- ending ------------------------------------------------------------------------

    def _leave(self, outcome: str | None, transfer: str | None, hang_up: bool) -> None:
        self.result_class = self._level.flow.script.results.get(outcome or "", self.result_class)
        if transfer is not None:
            self._transfer(transfer, outcome)
        elif len(self._levels) > 1:
            self._pop(outcome or "")
        else:
            self._end(outcome or "ended", hang_up=hang_up)

    def _pop(self, outcome: str) -> None:
        """A sub-flow ended: take over its slots and go on in the step that ran it."""
        part = self._levels.pop()
        step = self._step
        for slot, inner in step.save.items():
            self._level.put(slot, part.values.get(inner), part.kinds.get(inner, ""))
        if not self._follow_first(step.outcomes.get(outcome, ()), self._level, "outcomes", outcome):
            self._go_on()

    def _mark(self, tags: Sequence[str], result: str | None) -> None:
        for tag in tags:
            if tag not in self.tags:
                self.tags.append(tag)
                self._do(Mark(tag))
        self.result_class = result or self.result_class

    def _transfer(self, to: str, outcome: str | None) -> None:
        self.transfer_to = raw_text(to, self._level.values).strip()
        if not self.transfer_to:
            self._trouble("nobody to transfer to")
            return
        self._do(Transfer(self.transfer_to))
        self._close(outcome or "transferred")

    def _end(self, outcome: str, *, hang_up: bool = False) -> None:
        self._do(End(outcome, hang_up))
        self._close(outcome)

    def _close(self, outcome: str) -> None:
        self.outcome = outcome
        if not self.result_class:
            self.result_class = self.flow.script.results.get(outcome, "")
        self._state = State.ENDED

    def _trouble(self, why: str) -> None:
        """The author's way out of trouble, or ours; a second trouble ends the call."""
        again = any(kind == "trouble" for kind, _, _ in self.trace)
        self._note("trouble", why)
        self._target = None
        level = next((level for level in reversed(self._levels) if level.flow.script.trouble), None)
        if again or level is None or not self._follow_first(level.flow.script.trouble or (), level, "trouble"):
            self._say(self._defaults.trouble[0].say, "trouble")
            self._levels = self._levels[:1]
            self._end("error")

    # --- asking ------------------------------------------------------------------------

    def _filled(self, slots: Mapping[str, Slot], entities: Sequence[Entity]) -> Filled:
        level = self._level
        return fill(slots, entities, self._heard.text, level.values, self._asking.halves, self._mouth.now)

    def _take_in(self, filled: Filled) -> None:
        """Accept what fits, then ask for the rest, or confirm, or go on."""
        step, level = self._step, self._level
        if filled.values or filled.halves:
            self._asking.remember(self._heard.text)
        self._asking.halves = {**self._asking.halves, **filled.halves}
        for name, value in filled.values.items():
            spec = step.collect[name]
            check = parse_expression(spec.check) if spec.check else None
            if check and not holds(check, self._scope(more={name: value})):
                self._refuse(spec.invalid, name, value)
                return
            level.put(name, value, spec.type)
            self._asking.halves.pop(name, None)
        self._ask_on(step)

    def _refuse(self, invalid: Wording | None, name: str, value: Value) -> None:
        """The value cannot be: say why, and count it as not understood.

        Nothing of it is read into the next answer (three is not three at night), but its day.
        """
        self._level.put(name, None)
        self._asking.confirming = False
        self._asking.before = ()
        if isinstance(value, datetime):
            self._asking.halves[name] = value.date()
        ladder, _ = ladder_of(self._levels, "unclear", self._defaults)
        if invalid is None or self._asking.unclear + 1 >= len(ladder):
            self._climb("unclear")
            return
        self._asking.unclear += 1
        self._say(invalid, "invalid")
        self._listen()

    def _ask_on(self, step: Step) -> None:
        self._asking.new = True
        missing = missing_slots(self._level)
        if missing:
            self._ask_for(step, missing[0])
        elif step.confirm:
            self._asking.confirming = True
            self._say(step.confirm, "confirm", step.protect)
            self._listen()
        else:
            self._go_on()

    def _ask_for(self, step: Step, slot: str) -> None:
        half = self._asking.halves.get(slot)
        own = step.collect[slot].ask
        nothing_yet = len(missing_slots(self._level)) == len(step.collect)
        if half is not None:
            text = self._defaults.which_day if isinstance(half, time) else self._defaults.what_time
            self._mouth.speak(text, (), self._level)
        elif own and not (step.ask and nothing_yet):
            self._say(own, f"ask.{slot}", step.protect)
        else:
            self._say(step.ask, "ask", step.protect)
        self._listen()

    def _ask_again(self) -> None:
        step = self._step
        missing = missing_slots(self._level)
        own = step.collect[missing[0]].ask if missing else None
        if self._asking.confirming:
            self._say(step.confirm, "confirm", step.protect)
        else:
            self._say(step.again or own or step.ask or step.say, "again", step.protect)
        self._listen()

    def _ask_anew(self) -> None:
        """Nobody heard the question: from its start if it was cut, else shorter if it was spoken over him."""
        self._asking.ahead += 1
        if self._asking.ahead > MOST_AHEAD:
            self._climb("unclear")
        elif self._asking.cut:
            self._asking.cut = False
            self._mouth.say_again()
            self._listen()
        elif self._spoken == self._mouth.last_prompt:
            self._ask_again()
        else:
            # It is still being said.
            self._listen()

    def _listen(self) -> None:
        self._state = State.LISTENING
        self._heard = LastHeard()
        self._do(listening(self._level, self.step, self._defaults, self._asking))

    def _climb(self, kind: str) -> None:
        """Use the next rung of ladder ``kind`` whose condition holds; past its end the call ends."""
        self._mouth.pass_by()
        ladder, level = ladder_of(self._levels, kind, self._defaults)
        while (rung := getattr(self._asking, kind)) < len(ladder):
            setattr(self._asking, kind, rung + 1)
            if self._open(ladder[rung], level):
                self._note(kind, str(rung))
                self._follow(ladder[rung], level)
                return
        self._levels = self._levels[:1]
        self._follow(getattr(self._defaults, kind)[-1], self._levels[0])

    # --- hooks -------------------------------------------------------------------------

    def _call(self, call: HookCall) -> None:
        given = {name: computed(written, self._scope()) for name, written in call.with_.items()}
        arguments = {name: value for name, value in given.items() if value is not None}
        self._waiting = Waiting(self._next_hook(), call=call)
        timeout_s = call.timeout / 1000
        more = (timeout_s, call.retries, *self._filler(call.filler, call.filler_after), tuple(call.save))
        self._do(RunHook(self._hooks, call.hook, arguments, *more))

    def _filler(self, own: str | None = None, after_ms: int | None = None) -> tuple[tuple[Span, ...], int]:
        """What is said when a hook is slow, and after how many ms; the author's own is as quick as he wants it."""
        text = own or self._defaults.filler
        if after_ms is None:
            after_ms = OWN_FILLER_AFTER_MS if own else FILLER_AFTER_MS
        return tuple(self._mouth.filled_in(text, self._level)), after_ms

    def _ask_knowledge(self, way: Way, level: Level) -> None:
        """``knowledge:NAME`` gets ``question`` and ``after`` (id of the answer before); gives ``answer``, ``id``."""
        arguments: dict[str, Value] = {"question": self._heard.text}
        if self._answer_id:
            arguments["after"] = self._answer_id
        self._waiting = Waiting(self._next_hook(), way=way, level=self._levels.index(level))
        filler, after_ms = self._filler()
        hook = RunHook(self._hooks, f"knowledge:{way.knowledge}", arguments, filler=filler, filler_after_ms=after_ms)
        self._do(hook)

    def _next_hook(self) -> int:
        self._state = State.HOOK
        self._hooks += 1
        return self._hooks
