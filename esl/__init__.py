"""A FreeSWITCH event socket library: sans-IO protocol, asyncio client and server.

It knows nothing of bots and imports nothing of them.  See ``README.md``.
"""

from esl.backend import BACKENDS, Backend, Link, Listener, Login, backend
from esl.backoff import Backoff
from esl.client import Client
from esl.commands import Command
from esl.errors import (
    AccessDenied,
    CommandFailed,
    CommandTimeout,
    ConnectFailed,
    EslError,
    LinkError,
    LinkLost,
    LocalProtocolError,
    NotConnected,
    ProtocolError,
    RemoteProtocolError,
    SessionGone,
    WrongPassword,
)
from esl.headers import Headers
from esl.messages import AuthRequest, Disconnect, Event, LogLine, Malformed, Message, Rejected, Reply
from esl.peer import Job
from esl.protocol import Connection, Phase, Role
from esl.server import Server
from esl.session import Session
from esl.streams import EventStream

__all__ = [
    "BACKENDS",
    "AccessDenied",
    "AuthRequest",
    "Backend",
    "Backoff",
    "Client",
    "Command",
    "CommandFailed",
    "CommandTimeout",
    "ConnectFailed",
    "Connection",
    "Disconnect",
    "EslError",
    "Event",
    "EventStream",
    "Headers",
    "Job",
    "Link",
    "LinkError",
    "LinkLost",
    "Listener",
    "LocalProtocolError",
    "LogLine",
    "Login",
    "Malformed",
    "Message",
    "NotConnected",
    "Phase",
    "ProtocolError",
    "Rejected",
    "RemoteProtocolError",
    "Reply",
    "Role",
    "Server",
    "Session",
    "SessionGone",
    "WrongPassword",
    "backend",
]
