"""The verbs of a dialogue: say, go to a step, ask, listen, call a hook, end."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from agi_bot.contracts import Entity, Value
from agi_bot.flow.builtin import AFFIRM, DEFAULTS, DENY, Defaults
from agi_bot.flow.evaluation import Scope, holds
from agi_bot.flow.events import Action, End, Listen, Mark, RunHook, Say, Span, Transfer
from agi_bot.flow.expression import parse_expression
from agi_bot.flow.filling import KEYED, Filled, answered_ahead, fill, wanted_entities
from agi_bot.flow.model import Flow
from agi_bot.flow.parts import HookCall, Way, Wording
from agi_bot.flow.script import Step
from agi_bot.flow.state import Asking, LastHeard, Level, State, Waiting, computed, first_level
from agi_bot.flow.wording import choose, raw_text, spans, speaker

MOST_MOVES = 100
"""Steps that may be passed without an answer of the caller."""
LONGEST_KEYING = 20
"""Digits that may be keyed where a slot gives no length."""


class Moves:
    """State of one dialogue and what it can do; :class:`~agi_bot.flow.dialogue.Dialogue` decides when."""

    def __init__(self, flow: Flow, task: Mapping[str, Value] | None = None, *, seed: str = "") -> None:
        self.flow = flow
        self.outcome = ""
        self.result_class = ""
        self.transfer_to = ""
        self.tags: list[str] = []
        self.variants: dict[str, str] = {}
        self.trace: list[tuple[str, str, str]] = []
        self.moods: frozenset[str] = frozenset()
        self.now = datetime(2000, 1, 1, tzinfo=UTC)
        self._seed = seed
        self._task = frozenset(flow.script.task)
        self._levels = [first_level(flow, task or {})]
        self._state = State.NEW
        self._asking = Asking()
        self._heard = LastHeard()
        self._waiting: Waiting | None = None
        self._target: str | None = None
        self._turns: dict[str, int] = {}
        self._moves = self._prompts = self._hooks = self._answers = 0
        self._actions: list[Action] = []
        self._speech: list[Span] = []
        self._mute = False

    @property
    def slots(self) -> dict[str, Value]:
        """What was collected, computed or answered by hooks so far; task data only where it was changed."""
        level = self._levels[0]
        return {name: value for name, value in level.values.items() if name in level.filled}

    @property
    def step(self) -> str:
        """Where the dialogue is; ``part/step`` inside a sub-flow."""
        names = [level.flow.name for level in self._levels[1:]]
        return "/".join([*names, self._level.step_name])

    @property
    def ended(self) -> bool:
        return self._state is State.ENDED

    @property
    def _level(self) -> Level:
        return self._levels[-1]

    @property
    def _step(self) -> Step:
        return self._level.step

    @property
    def _defaults(self) -> Defaults:
        return DEFAULTS[self.flow.language]

    def _scope(self, level: Level | None = None, more: Mapping[str, Value] | None = None) -> Scope:
        values = (level or self._level).values
        return Scope({**values, **more} if more else values, self.now, self.moods, self._heard.text)

    # --- speaking ----------------------------------------------------------------------

    def _say(
        self, wording: Wording | None, key: str, protect: tuple[str, ...] = (), level: Level | None = None
    ) -> None:
        if wording is None or self._mute:
            return
        name = f"{self.step}.{key}"
        turn = self._turns.get(name, 0)
        self._turns[name] = turn + 1
        index = choose(wording, turn, f"{self._seed}:{name}")
        if wording.names:
            self.variants[name] = wording.names[index]
        self._speak(wording.texts[index], protect, level or self._level)

    def _speak(self, text: str, protect: tuple[str, ...], level: Level) -> None:
        speak = speaker(self.flow.language, self.now)
        self._speech_add(spans(text, protect, level.values, level.kinds, speak))

    def _speech_add(self, new: Sequence[Span]) -> None:
        if self._speech and new and self.flow.language == "en":
            self._speech.append(Span(" "))
        self._speech.extend(new)

    def _flush(self) -> None:
        if not self._speech:
            return
        self._prompts += 1
        voice = self._level_voice()
        self._actions.append(Say(self._prompts, tuple(self._speech), self._barge_in(), voice))
        self._speech = []

    def _level_voice(self) -> str:
        step = self._level.flow.script.steps.get(self._level.step_name)
        return (step.voice if step else None) or self._level.flow.voice or self.flow.voice

    def _barge_in(self) -> bool:
        step = self._level.flow.script.steps.get(self._level.step_name)
        return step.barge_in if step else True

    def _do(self, action: Action) -> None:
        self._flush()
        self._actions.append(action)

    # --- going -------------------------------------------------------------------------

    def _run(self) -> None:
        """Enter steps until one waits."""
        while self._target is not None and not self.ended:
            name, self._target = self._target, None
            self._enter(name)

    def _enter(self, name: str) -> None:
        level = self._level
        self._flush_if_manner_changes(name)
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

    def _flush_if_manner_changes(self, name: str) -> None:
        before = (self._barge_in(), self._level_voice())
        step = self._level.flow.script.steps[name]
        if before != (step.barge_in, step.voice or self._level.flow.voice or self.flow.voice):
            self._flush()

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
        elif step.listens:
            self._begin_listening(step)
        elif step.leaves:
            self._leave(step.end, step.transfer, step.hang_up)
        else:
            self._go_on()

    def _begin_listening(self, step: Step) -> None:
        if step.collect:
            self._take_in(self._filled(step, self._heard.entities, ahead=True))
            return
        self._say(step.ask, "ask", step.protect)
        self._listen()

    def _go_on(self) -> None:
        """Leave a step that is done by its ``next``."""
        if not self._follow_first(self._step.next or (), self._level, "next"):
            self._trouble("no way on")

    def _follow_first(self, ways: Sequence[Way], level: Level, edge: str, key: str = "") -> bool:
        """Follow the first of ``ways`` whose condition holds; false where none does."""
        for index, way in enumerate(ways):
            if self._open(way, level):
                self._note(edge, f"{key}#{index}" if len(ways) > 1 else key)
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
        else:
            self._listen()

    def _unwind(self, level: Level) -> None:
        while self._levels[-1] is not level:
            self._levels.pop()

    def _push(self, step: Step) -> None:
        part = self._level.flow.parts[step.flow or ""]
        given = {name: computed(written, self._scope()) for name, written in step.with_.items()}
        self._levels.append(first_level(part, {name: value for name, value in given.items() if value is not None}))
        self._level.step_name = part.script.start
        self._target = part.script.start

    def _leave(self, outcome: str | None, transfer: str | None, hang_up: bool) -> None:
        self._class_of(outcome or "")
        if transfer is not None:
            self._transfer(transfer, outcome)
        elif len(self._levels) > 1:
            self._pop(outcome or "")
        else:
            self._end(outcome or "ended", hang_up=hang_up)

    def _pop(self, outcome: str) -> None:
        part = self._levels.pop()
        step = self._step
        for slot, inner in step.save.items():
            self._level.put(slot, part.values.get(inner), part.kinds.get(inner, ""))
        ways = step.outcomes.get(outcome)
        if not (ways and self._follow_first(ways, self._level, "outcomes", outcome)):
            self._go_on()

    # --- ending ------------------------------------------------------------------------

    def _mark(self, tags: Sequence[str], result: str | None) -> None:
        for tag in tags:
            if tag not in self.tags:
                self.tags.append(tag)
            self._do(Mark(tag))
        self.result_class = result or self.result_class

    def _class_of(self, outcome: str) -> None:
        self.result_class = self._level.flow.script.results.get(outcome, self.result_class)

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
        self._note("trouble", why)
        self._target = None
        ways = next((lv.flow.script.trouble for lv in reversed(self._levels) if lv.flow.script.trouble), None)
        again = any(entry[0] == "trouble" for entry in self.trace[:-1])
        if again or not ways or not self._follow_first(ways, self._level_of(ways), "trouble"):
            self._say(self._defaults.trouble[0].say, "trouble")
            self._levels = self._levels[:1]
            self._end("error")

    def _level_of(self, ways: Sequence[Way]) -> Level:
        return next(level for level in reversed(self._levels) if level.flow.script.trouble is ways)

    # --- asking ------------------------------------------------------------------------

    def _filled(
        self, step: Step, entities: Sequence[Entity], *, only_missing: bool = False, ahead: bool = False
    ) -> Filled:
        level = self._level
        slots = {name: spec for name, spec in step.collect.items() if not (only_missing and name in level.values)}
        slots = answered_ahead(slots) if ahead else slots
        return fill(slots, entities, self._heard.text, level.values, self._asking.halves, self.now)

    def _take_in(self, filled: Filled) -> None:
        """Accept what fits, then ask for the rest, or confirm, or go on."""
        step, level = self._step, self._level
        self._asking.halves = {**self._asking.halves, **filled.halves}
        for name, value in filled.values.items():
            spec = step.collect[name]
            check = parse_expression(spec.check) if spec.check else None
            if check and not holds(check, self._scope(more={name: value})):
                self._refuse(spec.invalid, name)
                return
            level.put(name, value, spec.type)
            self._asking.halves.pop(name, None)
        self._ask_on(step)

    def _refuse(self, invalid: Wording | None, name: str) -> None:
        """The value cannot be: say why and count it as not understood."""
        self._level.put(name, None)
        self._asking.confirming = False
        if invalid is None:
            self._unclear()
            return
        self._asking.unclear += 1
        if self._asking.unclear >= len(self._ladder("unclear")):
            self._asking.unclear -= 1
            self._unclear()
            return
        self._say(invalid, "invalid")
        self._listen()

    def _ask_on(self, step: Step) -> None:
        missing = [name for name in step.collect if name not in self._level.values]
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
        if half is not None and not self._mute:
            text = self._defaults.what_time if not hasattr(half, "hour") else self._defaults.which_day
            self._speak(text, (), self._level)
        elif own:
            self._say(own, f"ask.{slot}", step.protect)
        else:
            self._say(step.ask, "ask", step.protect)
        self._listen()

    def _ask_again(self) -> None:
        step = self._step
        missing = [name for name in step.collect if name not in self._level.values]
        own = step.collect[missing[0]].ask if missing else None
        if self._asking.confirming:
            self._say(step.confirm, "confirm", step.protect)
        else:
            self._say(step.again or own or step.ask or step.say, "again", step.protect)
        self._listen()

    def _listen(self) -> None:
        self._flush()
        self._state = State.LISTENING
        self._heard = LastHeard()
        self._actions.append(self._listening())

    def _listening(self) -> Listen:
        step, script = self._step, self._level.flow.script
        confirming = self._asking.confirming or any(spec.type == "boolean" for spec in step.collect.values())
        yes_no = (AFFIRM, DENY) if confirming else ()
        quiet = step.wait if step.wait is not None else step.silence_after or script.silence_after or 5000
        return Listen(
            step=self.step,
            expected=tuple(dict.fromkeys([*yes_no, *(name for name in step.on if name != "otherwise")])),
            wanted=self._wanted(step),
            silence_ms=quiet,
            patience_ms=step.patience or script.patience or 0,
            keys=self._keys_wanted(step),
            hints=self._level.flow.hints(self._level.step_name),
            backchannel=step.backchannel or script.backchannel or self._defaults.backchannel,
            resume=step.resume or script.resume or "continue",
        )

    def _wanted(self, step: Step) -> dict[str, str]:
        """Entities of this step, and of the steps that an answer leads to: people answer ahead."""
        wanted = wanted_entities(step.collect)
        if not step.collect:
            steps = self._level.flow.script.steps
            for way in (way for ways in step.on.values() for way in ways if way.next):
                wanted = {**wanted_entities(answered_ahead(steps[way.next or ""].collect)), **wanted}
        return wanted

    def _keys_wanted(self, step: Step) -> int:
        slots = [spec for name, spec in step.collect.items() if name not in self._level.values and spec.type in KEYED]
        lengths = [spec.length or LONGEST_KEYING for spec in slots]
        return max([1, *lengths, *(len(key) for key in step.keys)])

    # --- not understanding -------------------------------------------------------------

    def _ladder(self, kind: str) -> Sequence[Way]:
        own: tuple[Way, ...] | None = getattr(self._step, kind)
        flows = (getattr(level.flow.script, kind) for level in reversed(self._levels))
        found: tuple[Way, ...] = own or next(filter(None, flows), None) or getattr(self._defaults, kind)
        return found

    def _unclear(self) -> None:
        self._climb("unclear")

    def _climb(self, kind: str) -> None:
        """Use the next rung of the ladder ``kind`` whose condition holds; past its end the call ends."""
        ladder = self._ladder(kind)
        level = self._level_of_ladder(ladder)
        while (rung := getattr(self._asking, kind)) < len(ladder):
            setattr(self._asking, kind, rung + 1)
            if self._open(ladder[rung], level):
                self._note(kind, str(rung))
                self._follow(ladder[rung], level)
                return
        last = getattr(self._defaults, kind)[-1]
        self._levels = self._levels[:1]
        self._follow(last, self._levels[0])

    def _level_of_ladder(self, ladder: Sequence[Way]) -> Level:
        for level in reversed(self._levels):
            if ladder in (level.flow.script.silence, level.flow.script.unclear):
                return level
        return self._level

    # --- hooks -------------------------------------------------------------------------

    def _call(self, call: HookCall) -> None:
        given = {name: computed(written, self._scope()) for name, written in call.with_.items()}
        arguments = {name: value for name, value in given.items() if value is not None}
        self._waiting = Waiting(self._next_hook(), call=call)
        filler: tuple[Span, ...] = ()
        if call.filler:
            speak = speaker(self.flow.language, self.now)
            filler = tuple(spans(call.filler, (), self._level.values, self._level.kinds, speak))
        self._do(
            RunHook(self._hooks, call.hook, arguments, call.timeout / 1000, call.retries, filler, call.filler_after)
        )

    def _ask_knowledge(self, way: Way, level: Level) -> None:
        """``knowledge:NAME`` is called with the caller's ``question``; it gives ``answer``."""
        self._waiting = Waiting(self._next_hook(), way=way, level=self._levels.index(level))
        self._do(RunHook(self._hooks, f"knowledge:{way.knowledge}", {"question": self._heard.text}))

    def _next_hook(self) -> int:
        self._state = State.HOOK
        self._hooks += 1
        return self._hooks

    def _note(self, kind: str, key: str) -> None:
        self.trace.append((kind, self.step, key))
