"""AGI command lines, quoted so that nothing in an argument can become a second command.

Asterisk splits a line at spaces; ``"`` starts and ends a quoted word and ``\\`` takes the
next character literally.  It reads at most 2047 bytes of a line (``AGI_BUF_LEN``).
"""

from __future__ import annotations

import re

from agi_bot.pbx.names import check_name, check_text

MAX_COMMAND_BYTES = 2047

_PLAIN = re.compile(r"[A-Za-z0-9_.:/@#*+-]+")


def line(*words: str) -> bytes:
    """One command line from ``words``, the first of which are the command's own.

    Raises :class:`ValueError` for an argument with a line end or a NUL, and for a line
    that Asterisk would cut off.
    """
    encoded = " ".join(map(_quote, words)).encode("utf-8")
    if len(encoded) > MAX_COMMAND_BYTES:
        raise ValueError(f"AGI command {words[0]!r} has {len(encoded)} bytes; Asterisk reads {MAX_COMMAND_BYTES}")
    return encoded + b"\n"


def answer() -> bytes:
    """Answer the call; does nothing when it is answered."""
    return line("ANSWER")


def hang_up() -> bytes:
    """End the call."""
    return line("HANGUP")


def get_variable(name: str) -> bytes:
    """Value of channel variable ``name``; result 0 when it is not set."""
    return line("GET", "VARIABLE", check_name(name))


def set_variable(name: str, value: str) -> bytes:
    """Set channel variable ``name``; works on a dead channel too."""
    return line("SET", "VARIABLE", check_name(name), value)


def set_priority(context: str, extension: str, priority: str) -> tuple[bytes, bytes, bytes]:
    """Where the dialplan goes on once the connection is closed (three commands)."""
    return (
        line("SET", "CONTEXT", context),
        line("SET", "EXTENSION", extension),
        line("SET", "PRIORITY", priority),
    )


def execute(application: str, *arguments: str) -> bytes:
    """Run a dialplan application; result -2 when there is none of that name.

    Raises :class:`ValueError` for a comma in an argument: Asterisk would see two.
    """
    if any("," in argument for argument in arguments):
        raise ValueError(f"an argument of {application} has a comma in it")
    return line("EXEC", application, ",".join(arguments))


def stream_file(path: str, escape_digits: str = "") -> bytes:
    """Play sound file ``path`` (without its extension); result is the key pressed, 0 for none."""
    return line("STREAM", "FILE", path, escape_digits)


def verbose(message: str, level: int = 3) -> bytes:
    """A line on Asterisk's console."""
    return line("VERBOSE", message, str(level))


def fit(value: str, limit: int = 1500) -> str:
    """``value`` cut at a character so that its quoted form surely fits into a command line."""
    spent = 0
    for place, character in enumerate(value):
        spent += len(character.encode("utf-8")) + (character in '\\"')
        if spent > limit:
            return value[:place]
    return value


def _quote(word: str) -> str:
    if _PLAIN.fullmatch(check_text(word)):
        return word
    return '"' + word.replace("\\", "\\\\").replace('"', '\\"') + '"'
