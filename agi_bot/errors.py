"""One error tree for the whole of agi-bot.

Catch :class:`AgiBotError` to catch everything that agi-bot raises on purpose::

    AgiBotError
    |-- ConfigError            agi-bot.yml or an AGI_BOT_* variable is wrong
    |   `-- ConfigErrors       several of them are, each in a ConfigError of its own
    |-- FlowError              a flow file is wrong; carries file:line:column and the cure
    |-- NluError               training data or an interpreter is wrong
    |   `-- InterpreterDown    an interpreter does not answer
    |-- SpeechError            a recognizer or a voice is wrong
    |   |-- ModelError         a model directory is missing, broken or not the declared one
    |   `-- EngineDown         an engine stopped answering
    |-- PbxError               the telephone side
    |   |-- ProtocolError      the peer sent what the protocol forbids
    |   |-- PbxDown            the PBX cannot be reached or refused the login
    |   `-- CallGone           the call ended while it was being used
    `-- StoreError             the database or a recording could not be written

Every message says what was wrong, where, and what to do about it.  The FreeSWITCH
library :mod:`esl` is usable without agi-bot and has a tree of its own.
"""

from __future__ import annotations

from collections.abc import Sequence


class AgiBotError(Exception):
    """Base of all errors; ``str(error)`` is fit to be shown to a user."""

    def __init__(self, message: str, *, cure: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.cure = cure

    def __str__(self) -> str:
        return f"{self.message} ({self.cure})" if self.cure else self.message


class ConfigError(AgiBotError):
    """A setting is unknown, of the wrong type or contradicts another one."""


class ConfigErrors(ConfigError):
    """Several settings are wrong; ``errors`` has one for each, in the order in which they are written."""

    def __init__(self, errors: Sequence[ConfigError]) -> None:
        self.errors = tuple(errors)
        super().__init__("\n".join(map(str, errors)))


class FlowError(AgiBotError):
    """A flow file cannot be used."""


class NluError(AgiBotError):
    """Training data or an interpreter cannot be used."""


class InterpreterDown(NluError):
    """An interpreter did not answer in time."""


class SpeechError(AgiBotError):
    """A recognizer or a voice cannot be used."""


class ModelError(SpeechError):
    """A model directory is missing, incomplete or not what the catalogue declares."""


class EngineDown(SpeechError):
    """A speech engine stopped answering."""


class PbxError(AgiBotError):
    """The telephone side failed."""


class ProtocolError(PbxError):
    """The peer sent bytes that the protocol forbids."""


class PbxDown(PbxError):
    """The PBX cannot be reached, or refused the login."""


class CallGone(PbxError):
    """The call ended while it was being used."""


class StoreError(AgiBotError):
    """The database or a recording could not be written."""
