"""One error tree: whose fault it was decides what to do about it.

::

    EslError
    |-- ProtocolError
    |   |-- LocalProtocolError    we were about to send what the protocol forbids: a bug on our side
    |   `-- RemoteProtocolError   the peer sent what the protocol forbids: close, connect again
    |-- LinkError                 the connection
    |   |-- ConnectFailed         nobody listens there, or it does not greet
    |   |-- AccessDenied          an access list of FreeSWITCH refused our address
    |   |-- WrongPassword         the password was refused
    |   |-- NotConnected          there is no link now: the command was surely NOT sent
    |   |-- LinkLost              the link ended with the command on its way: it MAY have been carried out
    |   `-- CommandTimeout        no reply in time: it MAY have been carried out
    |-- CommandFailed             FreeSWITCH answered ``-ERR`` or ``-USAGE``
    `-- SessionGone               the call of this session has ended

The split between ours and the peer's follows h11; the split between "surely not sent" and
"may have been carried out" is what a caller needs who must not do a thing twice.
"""

from __future__ import annotations


class EslError(Exception):
    """Base of everything that this library raises on purpose."""


class ProtocolError(EslError):
    """The event socket protocol was broken by one of the two sides."""


class LocalProtocolError(ProtocolError):
    """We were about to send what the protocol forbids; nothing was sent."""


class RemoteProtocolError(ProtocolError):
    """The peer sent what the protocol forbids; the connection cannot be used any more."""


class LinkError(EslError):
    """The connection could not be made or did not last."""


class ConnectFailed(LinkError):
    """Nobody listens at the address, or what listens does not greet like FreeSWITCH."""


class AccessDenied(LinkError):
    """FreeSWITCH refused our address (``apply-inbound-acl`` of event_socket.conf.xml)."""


class WrongPassword(LinkError):
    """FreeSWITCH refused the password."""


class NotConnected(LinkError):
    """There is no link at this moment; the command was surely not sent."""


class LinkLost(LinkError):
    """The link ended while a reply was awaited; the command may have been carried out."""


class CommandTimeout(LinkError):
    """No reply came in time; the command may have been carried out."""


class CommandFailed(EslError):
    """FreeSWITCH refused a command.

    ``reply`` is its whole answer (``-ERR USER_BUSY``), ``reason`` what stands behind ``-ERR``.
    """

    def __init__(self, command: str, reply: str) -> None:
        super().__init__(f"FreeSWITCH refused {command!r}: {reply}")
        self.command = command
        self.reply = reply

    @property
    def reason(self) -> str:
        """The answer without ``-ERR``: a hang-up cause where the command was ``originate``."""
        return self.reply.partition(" ")[2].strip() or self.reply


class SessionGone(EslError):
    """The call of an outbound session has ended.

    ``cause`` is FreeSWITCH's hang-up cause (``NORMAL_CLEARING``), empty when none was told.
    """

    def __init__(self, cause: str = "") -> None:
        super().__init__(f"the call has ended ({cause})" if cause else "the call has ended")
        self.cause = cause
