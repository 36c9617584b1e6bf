"""The phrase files: patterns of what callers say, and sentences drawn from them."""

import random
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

Language = Literal["zh", "en"]
LANGUAGES: tuple[Language, ...] = ("zh", "en")

_TOKEN = re.compile(r"[\[\]|]|\{\w+\}|[^\s\[\]|{}]+")
_MAX_ALTERNATIVES = 40
"""A class with more ways than this is drawn from, not listed."""

Words = tuple[str, ...]


@dataclass
class Phrases:
    """A phrase file, parsed: every alternative is a list of tokens."""

    classes: dict[str, list[str]] = field(default_factory=dict)
    replies: list[list[str]] = field(default_factory=list)
    common: list[Words] = field(default_factory=list)
    """Replies that are said far more often than the others; they are among them, too."""
    patterns: list[list[str]] = field(default_factory=list)

    def draw(self, tokens: list[str], rng: random.Random) -> Words:
        """One sentence of a pattern."""
        words: list[str] = []
        rest = list(reversed(tokens))
        while rest:
            token = rest.pop()
            if token == "[":
                rest.extend(reversed(rng.choice(_alternatives(_group(rest)))))
            elif token.startswith("{"):
                choices = _alternatives(self.classes[token[1:-1]])
                rest.extend(reversed(rng.choice(choices)))
            else:
                words.append(token)
        return tuple(words)

    def list_replies(self, rng: random.Random) -> list[Words]:
        """Every reply once; a reply with a class as many times as the class is wide."""
        drawn: list[Words] = []
        for reply in self.replies:
            times = _MAX_ALTERNATIVES if any(t[0] == "{" for t in reply) else 1
            drawn += [self.draw(reply, rng) for _ in range(times)]
        return sorted(set(drawn))

    def sentences(self, count: int, rng: random.Random) -> list[Words]:
        """``count`` sentences of the patterns, each pattern as often as the others."""
        return [self.draw(rng.choice(self.patterns), rng) for _ in range(count)]


def load_phrases(path: Path) -> Phrases:
    """Read a phrase file. Raises ValueError with file and line for a class that is unknown."""
    phrases = Phrases()
    for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
        line = line.strip()
        if line and not line.startswith("#"):
            _take_line(phrases, line, f"{path}:{number}")
    return phrases


def _take_line(phrases: Phrases, line: str, where: str) -> None:
    name = None
    if line.startswith("@"):
        name, line = line[1:].split(":", 1)
    tokens = _TOKEN.findall(line.lstrip("!"))
    for token in tokens:
        if token.startswith("{") and token[1:-1] not in phrases.classes:
            raise ValueError(f"{where}: no class {token} above this line")
    if name is not None:
        phrases.classes[name] = tokens
    elif line.startswith("!"):
        phrases.replies += _alternatives(tokens)
        if line.startswith("!!"):
            phrases.common += [tuple(words) for words in _alternatives(tokens)]
    else:
        phrases.patterns.append(tokens)


def _group(rest: list[str]) -> list[str]:
    """Take the tokens up to the bracket that closes the group from a reversed list."""
    depth, inner = 1, []
    while depth:
        token = rest.pop()
        depth += (token == "[") - (token == "]")
        inner.append(token)
    return inner[:-1]


def _alternatives(tokens: list[str]) -> list[list[str]]:
    """Split at the bars outside of brackets."""
    parts: list[list[str]] = [[]]
    depth = 0
    for token in tokens:
        depth += (token == "[") - (token == "]")
        if token == "|" and depth == 0:
            parts.append([])
        else:
            parts[-1].append(token)
    return parts
