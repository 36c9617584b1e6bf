"""The bodies that the API takes and gives."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

Name = Annotated[str, Field(min_length=1, max_length=64)]
Text = Annotated[str, Field(max_length=200)]
Words = Annotated[str, Field(max_length=1000)]
Retries = Annotated[list[float], Field(min_length=2, max_length=2)]
Pair = Annotated[list[int], Field(min_length=2, max_length=2)]


class Form(BaseModel):
    """A body; unknown fields and wrong types are refused."""

    model_config = ConfigDict(extra="forbid", strict=True)


class TaskForm(Form):
    """One person to be called about one thing."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {"customer_id": "12345", "script_id": "promotion_001", "call_time": "2026-10-01T14:00:00"}
        }
    )
    customer_id: Name = Field(description="Your id of the person.")
    script_id: Name = Field(description="Name of the script (flow).")
    call_time: Text = Field("", description="ISO 8601; without zone it is in the campaign's zone. Empty: now.")
    not_after: Text = Field("", description="Like call_time: from then on nobody is called about it any more.")
    number: Text = Field("", description="Number to call; empty: the customer's.")
    data: dict[str, Any] = Field(
        default_factory=dict, description="What the script's `task:` asks for; what is left out is the customer's."
    )
    priority: int = Field(0, ge=-100, le=100, description="Higher is called first.")
    dedupe_key: Name | None = Field(None, description="A second task with the same key in one campaign is the same.")
    campaign_id: Annotated[str, Field(max_length=64)] = Field(
        "", description="Empty: the campaign of the script's own name, made if need be."
    )


class AppointmentForm(Form):
    """Somebody is expected; the campaign's `remind` says when to call about it."""

    campaign_id: Name
    customer_id: Name
    event_time: Text = Field(min_length=1, description="ISO 8601; without zone it is in `zone`.")
    zone: Text = Field("", description="Time zone of the event; empty: the campaign's.")
    repeat: Text = Field("", description="daily, weekly, monthly or an RRULE, e.g. FREQ=WEEKLY;BYDAY=MO;COUNT=10.")
    number: Text = Field("", description="Number to call; empty: the customer's.")
    data: dict[str, Any] = Field(default_factory=dict, description="As for a task.")
    time_field: Text = Field("", description="The field of the script's `task:` that gets the event's time.")


class EventForm(Form):
    """Something happened in your systems; the rule for it (campaigns.events) says which script is run."""

    event: Name = Field(description="anomaly, payment_failed, delivery_late or another one of your rules.")
    customer_id: Name
    number: Text = ""
    data: dict[str, Any] = Field(default_factory=dict)
    dedupe_key: Name | None = None


class TaskMade(BaseModel):
    """A task was taken."""

    task_id: str
    created: bool = Field(description="False: it was known already by its dedupe or idempotency key.")


class SmsForm(Form):
    """After an attempt that ended as one of the outcomes (`*`: any), the text with its {holes} filled."""

    outcomes: list[Name] = Field(min_length=1, max_length=50)
    text: str = Field(min_length=1, max_length=500, description="May name task fields and slots: {name}.")


class RulesForm(Form):
    """What a campaign is and what it allows itself; what is left out is agi-bot.yml's."""

    title: Text = ""
    zone: str | None = None
    trunk: Name | None = None
    caller_id: str | None = None
    lines: int | None = Field(None, ge=1, le=10_000)
    per_second: float | None = Field(None, ge=0.01, le=1000)
    ring_s: float | None = Field(None, ge=5, le=180)
    hours: list[str] | None = Field(None, description='Calling windows, e.g. ["09:00-12:00", "14:00-20:00"].')
    days: list[int] | None = Field(None, description="ISO weekdays; 1 is Monday.")
    holidays: list[str] | None = Field(None, description="Days without calls, YYYY-MM-DD.")
    caps: list[Pair] | None = Field(None, description="[days, calls]: at most so many calls to a person.")
    cool_down_days: float | None = Field(None, ge=0, le=3650, description="Silence after a refusal.")
    min_interval_hours: float | None = Field(None, ge=0, le=8760, description="Between two calls to one person.")
    consent: bool | None = Field(None, description="Whether the person must have agreed beforehand.")
    most_attempts: int | None = Field(None, ge=1, le=50)
    retries: dict[Name, Retries] | None = Field(
        None, description='By how an attempt ended: [times, minutes later], e.g. {"busy": [3, 10]}.'
    )
    caller_ids: dict[Name, Name] | None = Field(
        None, description='Number to show by the beginning of the callee\'s, e.g. {"021": "02160001111"}.'
    )
    remind: list[Name] | None = Field(
        None, max_length=20, description='When to call about appointments, e.g. ["3d", "1d@10:00", "2h"].'
    )
    sms: list[SmsForm] | None = Field(None, max_length=20, description="Text messages after a call.")
    answering_machine: Literal["hang_up", "leave_message", "continue"] | None = None
    message: Words | None = Field(None, description="Said after a machine's tone: a text with {slots}, or a step.")
    introduction: Words | None = Field(None, description="Said to a call screener: who calls and why.")
    machine_by_timing: bool | None = Field(None, description="Hang up on what only sounds like a machine, too.")
    listen_to_early_media: bool | None = Field(None, description="Hear what the network plays before an answer.")


class CampaignForm(RulesForm):
    """A script, the people to be called with it, and what is allowed."""

    campaign_id: Name
    script_id: Name
    start: bool = Field(True, description="Whether it runs at once; else it is paused until it is resumed.")


class CustomerForm(Form):
    """What is known of a customer."""

    number: Text
    name: Text = ""
    zone: Text = Field("", description="Time zone; empty: the campaign's.")
    data: dict[str, Any] = Field(default_factory=dict)
    tags: list[Text] | None = Field(None, max_length=100)


class TagsForm(Form):
    """All tags of a customer."""

    tags: list[Text] = Field(max_length=100)


class DoNotCallForm(Form):
    """Numbers that are never called."""

    numbers: list[Text] = Field(min_length=1, max_length=10_000)
    list_: Name = Field("own", alias="list", description="Name of the list.")
    source: Text = "api"


class ConsentForm(Form):
    """The person agreed to be called, or took it back."""

    given: bool
    source: Text = "api"


class FieldProblem(BaseModel):
    """What is wrong with one field."""

    field: str
    reason: str


class ErrorBody(BaseModel):
    """What went wrong."""

    message: str
    fields: list[FieldProblem]


class ErrorAnswer(BaseModel):
    """The body of every answer from 400 on."""

    error: ErrorBody


class Reminded(BaseModel):
    """A call about an appointment."""

    task_id: str
    call_time: str
    event_time: str
    state: str
    reason: str


class AppointmentKept(BaseModel):
    """An appointment with the calls about it."""

    appointment_id: str
    campaign_id: str
    customer_id: str
    number: str
    data: dict[str, Any]
    time_field: str
    event_time: str
    zone: str
    repeat: str
    state: str
    tasks: list[Reminded]


class AppointmentPut(AppointmentKept):
    """The same, and what putting it changed."""

    new: int = Field(description="Tasks that were made.")
    withdrawn: int = Field(description="Tasks that were withdrawn, because their event was moved.")
    left_out: list[str] = Field(description="Reminders whose time has passed already.")
