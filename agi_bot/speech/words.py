"""Words that decide about turns, by language: backchannels, hesitations, words that go on.  Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass

_PUNCTUATION = re.compile(r"[\s,.!?;:，。！？；：、…~～—-]+")


@dataclass(frozen=True, slots=True)
class TurnWords:
    """``backchannel``: said to show that one listens.  ``hesitation``: filled pauses, without
    content.  ``open``: after such a last word more is coming.  ``wait``: asks for time.
    ``closed``: a whole answer after which nothing is to be expected; denials are not among
    them, because whoever says no goes on to say why.  ``closing``: last words that end a
    sentence.
    """

    backchannel: frozenset[str]
    hesitation: frozenset[str]
    open: frozenset[str]
    wait: frozenset[str]
    closed: frozenset[str]
    closing: frozenset[str]


def _set(text: str) -> frozenset[str]:
    return frozenset(part.strip() for part in text.split("|"))


CHINESE = TurnWords(
    backchannel=_set(
        "嗯|嗯嗯|哦|噢|喔|啊|呃|对|对对|对对对|是|是是|是的|好|好好|好的|好好好|行|嗯好|嗯对|嗯是|"
        "哎|唉|明白|知道|知道了"
    ),
    hesitation=_set("嗯|呃|额|啊|这个|那个|就是|那|哦|噢|就是说|怎么说呢"),
    open=_set(
        "嗯|呃|额|那个|这个|就是|就是说|那|然后|因为|所以|但是|可是|不过|如果|要是|而且|还有|或者|和|跟|"
        "我想|我要|我是|是不是|能不能|可不可以|在|从|到|把|给|的话|星期|周|号码是|电话是|改到|换到|大概|应该"
    ),
    wait=_set("等一下|稍等|等等|等会儿|等一会儿|你等一下|我看看|我看一下|我想想|我想一下|让我想想"),
    closed=_set(
        "可以|可以的|好|好的|好嘞|好啊|好吧|行|行的|行吧|没问题|能|能来|能的|会|会的|会来|我会来|我会的|一定|准时到|"
        "对|对的|对呀|没错|是|是的|是我|我是|就是我|确认|确定|当然|当然可以|知道|知道了|明白|明白了|记住了|"
        "谢谢|谢谢你|谢谢您|多谢|再见|拜拜|不用了谢谢|不用谢谢|方便|需要|要的|喂|你好|您好"
    ),
    closing=_set("吗|吧|谢谢|谢谢您|谢谢你|再见|拜拜|可以吗|行吗|好吗|对吗|对不对|行不行|好不好|可不可以"),
)

ENGLISH = TurnWords(
    backchannel=_set(
        "mhm|mm|mm hm|mmhm|uh huh|uhhuh|hm|hmm|yeah|yep|yes|yeah yeah|ok|okay|right|sure|i see|oh|ah|alright|got it"
    ),
    hesitation=_set("um|uh|er|erm|hmm|hm|ah|oh|well|so|like|you know|i mean|let me see"),
    open=_set(
        "um|uh|er|erm|and|but|or|so|because|if|then|the|a|an|to|at|on|in|of|for|from|my|is|are|i|i'm|"
        "i am|it's|my number is|the number is|can you|could you|i want|i want to|i'd like|"
        "i would like to|maybe|about|until|next|this|with|when|that|let me"
    ),
    wait=_set(
        "hold on|one moment|one second|just a second|just a moment|wait|wait a moment|let me see|"
        "let me check|hang on|give me a second"
    ),
    closed=_set(
        "yes|yeah|yep|yup|yes please|sure|sure thing|ok|okay|alright|correct|right|that's right|that is right|"
        "that's correct|of course|certainly|absolutely|definitely|fine|that's fine|sounds good|great|perfect|"
        "i will|i will be there|i'll be there|i can|yes i can|i do|speaking|this is he|this is she|thanks|"
        "thank you|no thanks|no thank you|bye|bye bye|goodbye|please|hello|hi|got it|mhm|uh huh"
    ),
    closing=_set("please|thanks|thank you|bye|goodbye"),
)

NONE = TurnWords(*[frozenset[str]()] * 6)

CANTONESE = TurnWords(
    backchannel=CHINESE.backchannel | _set("系|系系|系啊|哦系|得|知|知啦"),
    hesitation=CHINESE.hesitation | _set("即系|咁|呢个|嗰个"),
    open=CHINESE.open | _set("即系|咁|跟住|同埋|不过|我想|我系|喺|将"),
    wait=CHINESE.wait | _set("等阵|等一阵|等我睇睇|我睇下|我谂下"),
    closed=CHINESE.closed | _set("系|系啊|系呀|得|得啊|冇问题|好呀|唔该|唔该晒|多谢晒|拜拜|知道喇"),
    closing=CHINESE.closing | _set("唔该|唔该晒|得唔得|好唔好|系咪"),
)

_BY_LANGUAGE = {"zh": CHINESE, "cmn": CHINESE, "yue": CANTONESE, "en": ENGLISH}


def words_of(language: str) -> TurnWords:
    """The words of ``language`` (``zh-CN``, ``yue``, ``en``); empty lists for a language without them."""
    return _BY_LANGUAGE.get(language.replace("_", "-").split("-")[0].lower(), NONE)


_CHINESE = frozenset({"zh", "yue", "cmn", "wuu"})
_CHARACTER = re.compile(r"[一-鿿]")


def is_foreign(text: str, language: str) -> bool:
    """``text`` has words, and none in the writing of ``language``."""
    chinese = re.split("[-_]", language.lower())[0] in _CHINESE
    return bool(plain(text)) and bool(_CHARACTER.search(text)) is not chinese


def plain(text: str) -> str:
    """``text`` in lower case without punctuation; spaces are kept between Latin words."""
    return _PUNCTUATION.sub(" ", text.lower()).strip()


def is_made_of(text: str, pieces: frozenset[str]) -> bool:
    """True when ``text`` is nothing but ``pieces``, one after another (``嗯对对``, ``yeah okay``)."""
    words = plain(text)
    compact = words.replace(" ", "") if _has_cjk(words) else words
    return bool(compact) and _consumed(compact, pieces)


def ends_with(text: str, endings: frozenset[str]) -> bool:
    """True when the last word or words of ``text`` are among ``endings``."""
    words = plain(text)
    if _has_cjk(words):
        return words.replace(" ", "").endswith(tuple(endings))
    return any(words == ending or words.endswith(" " + ending) for ending in endings)


def _consumed(text: str, pieces: frozenset[str]) -> bool:
    reachable = [True] + [False] * len(text)
    for end in range(1, len(text) + 1):
        fits = (piece for piece in pieces if text.endswith(piece, 0, end) and reachable[end - len(piece)])
        reachable[end] = any(_whole(text, end - len(piece), end) for piece in fits)
        if text[end - 1] == " ":
            reachable[end] = reachable[end] or reachable[end - 1]
    return reachable[-1]


def _whole(text: str, start: int, end: int) -> bool:
    """Latin words are not matched inside of longer ones."""
    before = text[start - 1] if start else " "
    after = text[end] if end < len(text) else " "
    return not (_letter(before) and _letter(text[start])) and not (_letter(after) and _letter(text[end - 1]))


def _letter(char: str) -> bool:
    return char.isascii() and (char.isalnum() or char == "'")


def _has_cjk(text: str) -> bool:
    return any("\u2e80" <= char <= "\u9fff" for char in text)
