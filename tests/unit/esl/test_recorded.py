"""Bytes of a real FreeSWITCH, replayed at every split."""

from __future__ import annotations

from pathlib import Path

import pytest

from esl.commands import Command
from esl.framing import Framer
from esl.messages import AuthRequest, Disconnect, Event, Malformed, Message, Reply
from esl.protocol import Connection, Phase, Role

DATA = Path(__file__).parents[2] / "data" / "esl"
RECORDINGS = sorted(DATA.glob("*.bin"), key=lambda path: path.name)


class Replay:
    """Says what was said as soon as it may, and reads what was answered."""

    def __init__(self, recording: Path) -> None:
        outbound = recording.name.startswith("outbound")
        self.connection = Connection(Role.OUTBOUND if outbound else Role.INBOUND)
        self.bytes = recording.read_bytes()
        lines = recording.with_suffix(".commands").read_text(encoding="utf-8").splitlines()
        self.commands = [Command(line) for line in lines]
        self.messages: list[Message] = []
        self._talk()

    def hear(self, piece: bytes) -> None:
        self.connection.feed(piece)
        for message in self.connection.messages():
            self.messages.append(message)
            self._talk()

    def _talk(self) -> None:
        """A login waits for its reply; after that everything may be said."""
        phase = self.connection.phase
        ready = phase in (Phase.READY, Phase.LINGERING)
        first = phase in (Phase.LOGIN, Phase.CONNECTING) and not self.connection.pending
        for command in self.commands[: len(self.commands) if ready else int(first)]:
            self.connection.send(command)
            self.commands.remove(command)


def play(recording: Path, *sizes: int) -> list[Message]:
    replay = Replay(recording)
    start = 0
    for size in sizes:
        replay.hear(replay.bytes[start : start + size])
        start += size
    replay.hear(replay.bytes[start:])
    assert replay.commands == []
    assert replay.connection.pending == 0
    replay.connection.end()
    return replay.messages


def told(messages: list[Message]) -> list[str]:
    return [repr(message) for message in messages]


@pytest.fixture(params=RECORDINGS, ids=lambda path: path.stem)
def recording(request: pytest.FixtureRequest) -> Path:
    path: Path = request.param
    return path


def test_there_are_recordings_of_both_sides() -> None:
    assert {path.name.split("-")[0] for path in RECORDINGS} == {"inbound", "outbound"}


def test_every_frame_survives_a_split_at_every_byte(recording: Path) -> None:
    stream = recording.read_bytes()
    whole = Framer()
    whole.feed(stream)
    start = 0
    for frame in whole.frames():
        end = stream.index(b"\n\n", start) + 2 + len(frame.body)
        for split in range(start + 1, end):
            framer = Framer()
            framer.feed(stream[start:split])
            assert list(framer.frames()) == []
            framer.feed(stream[split:end])
            [again] = framer.frames()
            assert again.body == frame.body
        start = end
    assert start == len(stream)


def test_splits_of_the_whole_stream_give_the_same_messages(recording: Path) -> None:
    shown = told(play(recording))
    for split in range(1, recording.stat().st_size, 199):
        assert told(play(recording, split)) == shown


def test_one_byte_at_a_time_gives_the_same_messages(recording: Path) -> None:
    assert told(play(recording, *[1] * (recording.stat().st_size - 1))) == told(play(recording))


def test_nothing_is_damaged_and_nothing_is_forged(recording: Path) -> None:
    messages = play(recording)
    assert not [message for message in messages if isinstance(message, Malformed)]
    events = [message for message in messages if isinstance(message, Event)]
    assert "FAKED" not in {event.get("Hangup-Cause") for event in events}
    named = [event for event in events if "张伟" in event.get("Caller-Caller-ID-Name")]
    assert named
    assert all(event["Caller-Caller-ID-Name"].startswith("张伟\nHangup-Cause: FAKED") for event in named)


def test_the_inbound_recording_word_for_word() -> None:
    messages = play(next(path for path in RECORDINGS if path.name.startswith("inbound")))
    assert messages[0] == AuthRequest()
    assert isinstance(messages[-1], Disconnect)
    replies = [message.text.strip() for message in messages if isinstance(message, Reply)]
    assert replies[:4] == [
        "+OK accepted",
        "您好",
        "-ERR no_such_command Command not found!",
        "+OK event listener enabled plain",
    ]
    assert replies[-1] == "+OK bye"
    custom = next(event for event in messages if isinstance(event, Event) and event.name == "CUSTOM")
    assert (custom.subclass, custom.body) == ("a::b", "Content-Length: 9\n\n您好\n")
    jobs = [event for event in messages if isinstance(event, Event) and event.name == "BACKGROUND_JOB"]
    assert [(job["Job-UUID"], job.body.split("\n")[0].split(" ")[0]) for job in jobs] == [
        ("job-1", "-ERR"),
        ("job-2", "UP"),
    ]
    assert jobs[0].body == "-ERR USER_BUSY\n"


def test_the_outbound_recording_word_for_word() -> None:
    messages = play(next(path for path in RECORDINGS if path.name.startswith("outbound")))
    connected = messages[0]
    assert isinstance(connected, Reply)
    assert (connected.text, connected.headers["Control"], connected.headers["Socket-Mode"]) == (
        "+OK",
        "full",
        "async",
    )
    events = [message for message in messages if isinstance(message, Event)]
    done = [event["Application-UUID"] for event in events if event.name == "CHANNEL_EXECUTE_COMPLETE"]
    assert [which for which in done if which.startswith("e-")] == ["e-1", "e-2", "e-3"]
    variable = [event for event in events if event.name == "CHANNEL_EXECUTE" and event["Application"] == "set"]
    assert variable[-1]["Application-Data"] == "greeting=您好\nzwei"
    assert [event["DTMF-Digit"] for event in events if event.name == "DTMF"] == ["1", "2", "#"]
    notices = [message for message in messages if isinstance(message, Disconnect)]
    assert [notice.linger for notice in notices] == [True, False]
    assert notices[0].linger_s == 5
    assert [event.name for event in events][-1] in ("CHANNEL_HANGUP_COMPLETE", "CHANNEL_DESTROY", "CHANNEL_STATE")
