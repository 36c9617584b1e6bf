"""What the bot says and does where a flow is silent: the last ways out of every trouble."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from agi_bot.flow.parts import Way, Wording

AFFIRM = "affirm"
DENY = "deny"
OTHERWISE = "otherwise"


@dataclass(frozen=True, slots=True)
class Defaults:
    """Texts and ladders of one language."""

    silence: tuple[Way, ...]
    unclear: tuple[Way, ...]
    trouble: tuple[Way, ...]
    too_long: tuple[Way, ...]
    which_day: str
    what_time: str
    filler: str
    backchannel: tuple[str, ...]
    yes: str
    no: str


def _end(text: str, outcome: str) -> tuple[Way, ...]:
    return (Way(say=_wording(text), end=outcome),)


def _wording(text: str) -> Wording:
    return Wording(texts=(text,))


def _ladder(outcome: str, goodbye: str, *texts: str) -> tuple[Way, ...]:
    return (*(Way(say=_wording(text)) for text in texts), *_end(goodbye, outcome))


DEFAULTS: Mapping[str, Defaults] = {
    "zh-CN": Defaults(
        silence=_ladder("no_response", "那我先挂了，再见。", "您好，您能听到吗？", "抱歉，我没听到您说话。"),
        unclear=_ladder("not_understood", "抱歉，我还是没听明白，再见。", "抱歉，没听清，您能再说一遍吗？"),
        trouble=_end("抱歉，系统出了点问题，再见。", "error"),
        too_long=_end("抱歉，今天先到这里，再见。", "too_long"),
        which_day="是哪一天呢？",
        what_time="是几点钟呢？",
        filler="请稍等。",
        backchannel=("嗯", "啊", "哦", "噢", "唔"),
        yes="是",
        no="否",
    ),
    "en": Defaults(
        silence=_ladder("no_response", "I will hang up now. Goodbye.", "Hello, can you hear me?", "Are you there?"),
        unclear=_ladder("not_understood", "Sorry, I did not understand. Goodbye.", "Sorry, could you say that again?"),
        trouble=_end("Sorry, something went wrong on our side. Goodbye.", "error"),
        too_long=_end("Sorry, we have to stop here. Goodbye.", "too_long"),
        which_day="On which day?",
        what_time="At what time?",
        filler="One moment, please.",
        backchannel=("uh-huh", "mm-hmm", "mhm", "hmm"),
        yes="yes",
        no="no",
    ),
}
"""Language -> its defaults."""
