"""What is counted as calls end, and how Prometheus reads it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import httpx
from prometheus_client.parser import text_string_to_metric_families

from agi_bot.campaign.office import Office
from agi_bot.record import CallRecord, Turn
from agi_bot.speech.prompts import Readiness
from agi_bot.web.api import Options, application
from agi_bot.web.live import Live
from agi_bot.web.meter import Histogram, Meter, silent_after_ms

BEGAN = datetime(2026, 11, 24, tzinfo=UTC)


def a_call() -> CallRecord:
    record = CallRecord("c", "f", "zh-CN", BEGAN, ended_at=BEGAN + timedelta(seconds=40), outcome="agreed")
    record.turns += [
        Turn(said_to_ms=3300, heard_from_ms=3000, cut_after_words=2, reply_ms=450),
        Turn(heard_from_ms=9000, said_to_ms=8000, reply_ms=1200),
        Turn(),
    ]
    record.counters = {"engine_failed.voice": 1, "fallback.interpreter": 2, "barge_ins": 1, "step.x": 1}
    return record


def test_silence_is_measured_where_somebody_interrupted() -> None:
    assert [silent_after_ms(turn) for turn in a_call().turns] == [300, None, None]


def test_buckets_are_cumulative() -> None:
    times = Histogram((0.1, 1.0))
    for value in (0.1, 0.2, 5.0):
        times.observe(value)
    assert times.buckets == [("0.1", 1), ("1.0", 2), ("+Inf", 3)]
    assert times.total == 5.3


async def test_what_prometheus_reads(office: Office) -> None:
    meter = Meter()
    meter.ended(a_call())
    dialer = {"ended.agreed": 3, "ended.busy": 1, "answered": 3, "refused.window": 7, "placed": 4}
    prompts = {"espeak-ng cmn": Readiness(ready=9, waited=1, waited_ms=250)}
    live = Live(
        lambda: 2,
        lambda: 4,
        dialer,
        {"crm": {"delivered": 5}, "sms": {}},
        meter,
        prompts=prompts,
        hearing=lambda: {"stuck": 1, "replaced": 3},
    )
    transport = httpx.ASGITransport(application(office, live, Options()))
    async with httpx.AsyncClient(transport=transport, base_url="http://bot") as client:
        text = (await client.get("/metrics")).text
    found = {
        (sample.name, *sorted(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }
    assert found["agibot_calls_total", "agreed", "inbound"] == 1
    assert found["agibot_reply_seconds_bucket", "0.5"] == 1
    assert found["agibot_reply_seconds_count",] == 2
    assert found["agibot_reply_seconds_sum",] == 1.65
    assert found["agibot_barge_in_seconds_count",] == 1
    assert found["agibot_talk_seconds_sum",] == 40
    assert found["agibot_engine_errors_total", "engine_failed.voice"] == 1
    assert found["agibot_engine_errors_total", "fallback.interpreter"] == 2
    assert found["agibot_attempts_total", "busy"] == 1
    assert found["agibot_answer_rate",] == 0.75
    assert found["agibot_refusals_total", "window"] == 7
    assert found["agibot_lines_used",] == 4
    assert found["agibot_outbox_lag_seconds", "sms"] == 0
    assert found["agibot_outbox_sendings_total", "crm", "delivered"] == 5
    assert found["agibot_queue_depth", "ready"] == 0
    assert found["agibot_prompts_total", "espeak-ng cmn", "yes"] == 9
    assert found["agibot_prompts_total", "espeak-ng cmn", "no"] == 1
    assert found["agibot_prompt_wait_seconds_total", "espeak-ng cmn"] == 0.25
