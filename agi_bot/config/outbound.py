"""The options of outbound calling: campaigns, the API, and what the CRM is told."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from agi_bot.config.hours import read_days, read_hours, read_zone
from agi_bot.config.section import Section


class EventSettings(Section):
    """The script that an event of your systems starts."""

    flow: str = Field(description="The script that is run.")
    campaign: str = Field("", description="Its campaign; empty: one of the script's own name.")
    delay_s: float = Field(0.0, ge=0, le=31_536_000, description="How long after the event to call, seconds.")
    priority: int = Field(0, ge=-100, le=100, description="Higher is called first.")


def _one_word(path: Path) -> Path:
    if not re.fullmatch(r"[\w.:@+/-]+", str(path)):
        raise ValueError("a path of letters, digits and . _ - only: it stands in commands of the exchange")
    return path


def _hours(text: str) -> str:
    read_hours(text)
    return text


def _days(days: list[int]) -> list[int]:
    read_days(days)
    return days


def _zone(name: str) -> str:
    read_zone(name)
    return name


Zone = Annotated[str, AfterValidator(_zone)]


class CampaignSettings(Section):
    """Outbound calling; the rest are the defaults of a campaign that does not say otherwise."""

    enabled: bool = Field(False, description="Whether `agi-bot serve` dials the tasks of campaigns.")
    lines: int = Field(10, ge=1, le=10_000, description="Calls that may be up at once.")
    per_second: float = Field(1.0, ge=0.01, le=1000, description="Calls that may be placed a second.")
    ring_s: float = Field(30.0, ge=5, le=180, description="Longest ringing, seconds.")
    zone: Zone = Field("Asia/Shanghai", description="Zone of times without one, and of people whose zone is not known.")
    trunk: str = Field("default", description="Name of the trunk whose lines are shared.")
    caller_id: str = Field("", description="Number to show; empty: the exchange decides.")
    number_prefixes: list[Annotated[str, Field(pattern=r"^[0-9]{1,6}$")]] = Field(
        default_factory=lambda: ["0", "86", "086", "0086"],
        max_length=20,
        description="What may stand before a number: with and without it, it is one person's for lists, caps, consent.",
    )
    dead_after_s: float = Field(
        30.0, ge=1, le=3600, description="A dialer of which nothing is heard for so long counts as dead, seconds."
    )
    hours: list[Annotated[str, AfterValidator(_hours)]] = Field(
        default_factory=lambda: ["09:00-20:00"], min_length=1, description="When people may be called."
    )
    days: Annotated[list[int], AfterValidator(_days)] = Field(
        default_factory=lambda: [1, 2, 3, 4, 5, 6, 7], description="On which days; 1 is Monday."
    )
    answering_machine: Literal["hang_up", "leave_message", "continue"] = Field(
        "hang_up", description="What to do when an answering machine takes the call."
    )
    message: str = Field("", description="Said after its tone: a text with {slots} of the task, or a step of the flow.")
    introduction: str = Field("", description="Said to a call screener: who calls and why; the same form.")
    machine_by_timing: bool = Field(False, description="Hang up on what only sounds like a machine, too.")
    listen_to_early_media: bool = Field(
        True, description="Whether what the network plays before an answer is listened to (needs the folder)."
    )
    early_media_folder: Annotated[Path, AfterValidator(_one_word)] | None = Field(
        None, description="Folder that the exchange writes it to, under this path for both; empty: not listened to."
    )
    events: dict[str, EventSettings] = Field(
        default_factory=dict, description="Script by event, e.g. payment_failed: {flow: loan_repayment}."
    )


class WebSettings(Section):
    """The REST API, /metrics and /healthz."""

    enabled: bool = Field(False, description="Whether `agi-bot serve` answers HTTP.")
    host: str = Field("127.0.0.1", description="Address on which it listens.")
    port: int = Field(8090, ge=0, le=65535, description="Port on which it listens.")
    certificate: Path | None = Field(None, description="PEM file; with it, HTTPS only.")
    certificate_key: Path | None = Field(None, description="PEM file of its key.")
    requests_per_minute: int = Field(6000, ge=1, description="Requests a minute that each key may make.")
    max_body_kb: int = Field(256, ge=1, le=102_400, description="Largest body of a request, KB.")
    max_import_mb: int = Field(256, ge=1, le=4096, description="Largest list of an import, MB.")


class OutboxSettings(Section):
    """What the CRM is told after every attempt."""

    url: str = Field("", description="Where results are POSTed as JSON; empty: they stay in the outbox.")
    secret: str = Field("", description="Key of the signature; better given as AGI_BOT_OUTBOX__SECRET.")
    headers: dict[str, str] = Field(default_factory=dict, description="HTTP headers, e.g. Authorization.")
    timeout_s: float = Field(10.0, gt=0, le=120, description="Longest wait for an answer, seconds.")
    most_tries: int = Field(20, ge=1, le=1000, description="Tries until a result is set aside for you to look at.")
    allow_private: bool = Field(False, description="Whether it may be an address of a private network.")


def _expression(text: str) -> str:
    try:
        re.compile(text)
    except re.error as error:
        raise ValueError(f"not a regular expression: {error}") from None
    return text


class SmsSettings(OutboxSettings):
    """The gateway that sends the text messages of campaigns (`sms:` there); other fields as for `outbox`."""

    url: str = Field("", description="Where each message is POSTed; empty: they stay in the outbox.")
    secret: str = Field("", description="Key of the signature; better given as AGI_BOT_SMS__SECRET.")
    body: dict[str, str] = Field(
        default_factory=dict,
        description="Fields of the gateway, e.g. {mobile: '{to}', content: '{text}', id: '{key}'}; empty: our JSON.",
    )
    form: bool = Field(False, description="Whether the fields go as a form instead of JSON.")
    accepted: Annotated[str, AfterValidator(_expression)] = Field(
        "", description="Regular expression that the answer must contain, e.g. '\"code\": ?0'; empty: any 2xx."
    )
