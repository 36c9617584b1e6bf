"""What passes between a conversation and its dialogue.

The conversation tells the dialogue what happened (an *event*) and carries out, in order,
what the dialogue answers (*actions*).  The dialogue has no clock and does no I/O, as h11
has none for HTTP.

Rules of the road:

* Prompts and hooks are numbered by the dialogue.  An event about a prompt that has been
  cut or replaced carries an old number and is ignored.
* Actions are carried out in order.  :class:`Say` only queues sound; :class:`Transfer` and
  :class:`End` wait until everything that was queued before them has been spoken.
* A new :class:`Say` after a barge-in replaces whatever of earlier prompts was not spoken.
* :class:`Listen` holds from the moment it is given until the next one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from agi_bot.contracts import Intent, Transcript, Value

# --- events ----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Started:
    """The call was answered at ``now`` (with zone)."""

    now: datetime


@dataclass(frozen=True, slots=True)
class Heard:
    """The caller said something and it was interpreted.

    ``intent.name`` is empty when it was not understood.  ``ahead``: it was begun before the first
    sound of what was said with the last :class:`Listen`.
    """

    intent: Intent
    transcript: Transcript
    ahead: bool = False


@dataclass(frozen=True, slots=True)
class Keyed:
    """The caller pressed keys (one, or several where the step collects digits)."""

    keys: str


@dataclass(frozen=True, slots=True)
class Silent:
    """The caller said nothing for as long as the last :class:`Listen` allowed."""


@dataclass(frozen=True, slots=True)
class PromptEnded:
    """Prompt number ``prompt`` has been spoken to its end."""

    prompt: int


@dataclass(frozen=True, slots=True)
class PromptCut:
    """The caller interrupted prompt ``prompt`` after about ``words`` of its words (characters in Chinese)."""

    prompt: int
    words: int


@dataclass(frozen=True, slots=True)
class HookReturned:
    """Hook number ``hook`` answered with ``values``."""

    hook: int
    values: Mapping[str, Value] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class HookFailed:
    """Hook number ``hook`` failed or timed out."""

    hook: int
    reason: str


@dataclass(frozen=True, slots=True)
class HungUp:
    """The caller hung up."""


@dataclass(frozen=True, slots=True)
class TooLong:
    """The longest time that the flow allows for a call has passed."""


@dataclass(frozen=True, slots=True)
class Noticed:
    """How the caller seems to feel now (``hesitant``, ``angry``, ...); replaces what was noticed before."""

    moods: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class EngineFailed:
    """An engine (``recognizer``, ``interpreter``, ``voice``) failed and could not be replaced."""

    engine: str


Event = (
    Started
    | Heard
    | Keyed
    | Silent
    | PromptEnded
    | PromptCut
    | HookReturned
    | HookFailed
    | HungUp
    | TooLong
    | Noticed
    | EngineFailed
)

# --- actions ---------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Span:
    """A piece of a prompt.

    ``protected`` sound is never cut by the caller; ``fixed`` text is the same in every call
    and can be rendered beforehand.
    """

    text: str
    protected: bool = False
    fixed: bool = True


@dataclass(frozen=True, slots=True)
class Say:
    """Speak ``spans`` as prompt number ``prompt``; the text is already words, slots filled in."""

    prompt: int
    spans: tuple[Span, ...]
    barge_in: bool = True
    voice: str = ""

    @property
    def text(self) -> str:
        return "".join(span.text for span in self.spans)


@dataclass(frozen=True, slots=True)
class Listen:
    """What the dialogue waits for now.

    ``silence_ms``: quiet time after the last prompt until :class:`Silent`.
    ``patience_ms``: 0 for the engine's own choice, else the pause inside a turn that is
    waited for before the turn counts as ended.  ``turns``: single limits of turn-taking by
    name, ms, over the engine's own and over what the patience makes of them.  ``keys``: how many DTMF keys make one
    :class:`Keyed` (1: each key at once; more: up to that many, ended early by ``#`` or a
    pause).  ``hints``: phrases that are likely to be said.  ``closed``: they and the examples of the
    expected intents are what answers the question.  ``digits``: a number of so many digits is waited
    for (0: none, or of any length); ``spelled``: digits are.  ``backchannel``: words that do
    not interrupt a prompt.  ``resume``: what to do after an interruption that turned out to
    be nothing (``continue`` or ``restart`` the prompt).  ``wanted``: slot name -> entity kind,
    for this step and for those that people answer ahead; ``needed``: the kinds that this
    step itself asks for now.  ``before``: what the caller has said in answer to the open
    question (:attr:`agi_bot.contracts.Context.before`).
    """

    step: str
    expected: tuple[str, ...] = ()
    wanted: Mapping[str, str] = field(default_factory=dict)
    needed: tuple[str, ...] = ()
    silence_ms: int = 5000
    patience_ms: int = 0
    turns: Mapping[str, int] = field(default_factory=dict)
    keys: int = 1
    hints: tuple[str, ...] = ()
    closed: bool = False
    digits: int = 0
    spelled: bool = False
    backchannel: tuple[str, ...] = ()
    resume: str = "continue"
    before: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RunHook:
    """Call hook ``name`` with ``arguments``; answer with :class:`HookReturned` or :class:`HookFailed`.

    ``filler`` is spoken when the answer takes longer than ``filler_after_ms``.  An answer without
    one of the fields ``saves`` is a failure.
    """

    hook: int
    name: str
    arguments: Mapping[str, Value] = field(default_factory=dict)
    timeout_s: float = 5.0
    retries: int = 0
    filler: tuple[Span, ...] = ()
    filler_after_ms: int = 800
    saves: tuple[str, ...] = ()


def lacking(saves: Iterable[str], values: Mapping[str, Value | None]) -> list[str]:
    """The fields that an answer must have and does not; ``null`` counts as not there."""
    return [name for name in saves if values.get(name) is None]


@dataclass(frozen=True, slots=True)
class Mark:
    """Note ``tag`` in the call's record (``do_not_call``, ...)."""

    tag: str


@dataclass(frozen=True, slots=True)
class Transfer:
    """Send the caller to ``to``; the bot's part ends."""

    to: str


@dataclass(frozen=True, slots=True)
class End:
    """The bot's part ends with ``outcome``; ``hang_up`` ends the call itself as well."""

    outcome: str
    hang_up: bool = False


Action = Say | Listen | RunHook | Mark | Transfer | End
