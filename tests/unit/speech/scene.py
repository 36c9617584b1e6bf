"""A scene for judges of turns, played in virtual time."""

from __future__ import annotations

from dataclasses import dataclass, field

from agi_bot.contracts import Entity, Intent
from agi_bot.speech.turns import Act, Decision, Now, Question, TurnSettings, TurnTaker

YES_NO = Question(expected=("affirm", "deny"))
DATE = Question(expected=(), needed=("datetime",))
SETTINGS = TurnSettings()


def intent(name: str, confidence: float = 0.9, *kinds: str) -> Intent:
    return Intent(name, confidence, tuple(Entity(kind, "x", "x") for kind in kinds))


@dataclass
class Scene:
    """Feeds 20 ms steps; understands at once what is asked of it, as a quick interpreter would."""

    asks: Question = YES_NO
    language: str = "zh-CN"
    settings: TurnSettings = SETTINGS
    bot: bool = False
    interruptible: bool = True
    left_ms: int = 0
    bot_text: str = ""
    echo: bool = False
    meanings: dict[str, Intent] = field(default_factory=dict)
    now_ms: int = 0
    decisions: list[tuple[int, Decision]] = field(default_factory=list)
    understood: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.taker = TurnTaker(self.settings, self.language)
        self._partial = self._of = ""
        self._meaning: Intent | None = None

    def play(self, ms: int, *, speech: bool, partial: str | None = None, **known: bool) -> Scene:
        """``known``: further fields of :class:`Now`, such as ``rising``."""
        self._partial = self._partial if partial is None else partial
        for _ in range(ms // 20):
            self.now_ms += 20
            self._step(speech, known)
        return self

    def say(self, text: str, ms: int = 0) -> Scene:
        return self.play(
            ms or 160 * max(1, len(text.split()) if text.isascii() else len(text)), speech=True, partial=text
        )

    def hush(self, ms: int, **known: bool) -> Scene:
        return self.play(ms, speech=False, **known)

    def _step(self, speech: bool, known: dict[str, bool]) -> None:
        now = Now(
            self.now_ms,
            speech,
            self._partial,
            self._meaning,
            self._of,
            self.bot,
            self.interruptible,
            self.left_ms,
            self.bot_text,
            self.echo,
            **known,
        )
        decision = self.taker.update(now, self.asks)
        if decision.understand:
            self.understood.append(decision.understand)
            self._meaning, self._of = self.meanings.get(decision.understand), decision.understand
        if decision.act is not Act.NOTHING:
            self.decisions.append((self.now_ms, decision))
            self._after(decision.act)

    def _after(self, act: Act) -> None:
        if act in (Act.END, Act.TOO_LONG, Act.DROP, Act.RESUME):
            self._partial = self._of = ""
            self._meaning = None
        if act is Act.STOP:
            self.bot = False

    @property
    def acts(self) -> list[Act]:
        return [decision.act for _, decision in self.decisions]

    def at(self, act: Act) -> int:
        """When ``act`` was decided first, ms."""
        return next(at for at, decision in self.decisions if decision.act is act)

    @property
    def last(self) -> Decision:
        return self.decisions[-1][1]
