"""Our training data as one file that Rasa trains from: same examples, background as ``out_of_scope``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from agi_bot.nlu.data import NluData
from agi_bot.nlu.markup import Annotation
from agi_bot.nlu.normal import tidy
from agi_bot.nlu.reader import Example

OUT_OF_SCOPE = "out_of_scope"


def training_file(data: NluData) -> str:
    """The text of a ``nlu.yml`` (Rasa 3.1 format) with everything that ``data`` holds."""
    entries = [_entry("intent", intent, _texts(data, intent)) for intent in data.intents]
    if data.background:
        entries.append(_entry("intent", OUT_OF_SCOPE, map(_escaped, data.background)))
    entries += [_entry("synonym", value, words) for value, words in _by_value(data.synonyms).items()]
    entries += [_entry("regex", name, patterns) for name, patterns in data.patterns.items()]
    entries += [_entry("lookup", name, words) for name, words in data.lookups.items()]
    return 'version: "3.1"\nnlu:\n' + "".join(entries)


def _texts(data: NluData, intent: str) -> list[str]:
    return [marked(example) for example in data.all_examples if example.intent == intent]


def marked(example: Example) -> str:
    """``example`` as Rasa writes it, entities in the short form; tidied, as the text is that will be parsed."""
    tidied = tidy(example.text).text
    if not example.entities or tidied != example.text:
        return _escaped(tidied or example.text)
    parts, last = [], 0
    for entity in example.entities:
        parts += [example.text[last : entity.start], _marked(entity, example.text[entity.start : entity.end])]
        last = entity.end
    return "".join([*parts, example.text[last:]])


def _marked(entity: Annotation, words: str) -> str:
    value = "" if entity.value == words else f":{entity.value}"
    return f"[{words}]({entity.kind}{value})"


def _escaped(text: str) -> str:
    return text.translate(str.maketrans("", "", "[]"))


def _by_value(synonyms: Mapping[str, str]) -> dict[str, list[str]]:
    grouped: dict[str, list[str]] = {}
    for words, value in synonyms.items():
        grouped.setdefault(value, []).append(words)
    return grouped


def _entry(kind: str, name: str, lines: Iterable[str]) -> str:
    listed = "".join(f"    - {line}\n" for line in lines)
    return f"- {kind}: {_quoted(name)}\n  examples: |\n{listed}"


def _quoted(name: str) -> str:
    return '"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"'
