"""Metrics and health, for machines that watch: no key is needed, and nothing of a person is told."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from fastapi import APIRouter, Response
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric

from agi_bot.campaign.store.database import Database
from agi_bot.campaign.store.reports import Figures, ReportStore
from agi_bot.errors import StoreError
from agi_bot.web.doors import At, problem
from agi_bot.web.live import Live
from agi_bot.web.meter import Histogram

router = APIRouter(tags=["watching"])


@router.get("/healthz")
async def alive() -> dict[str, str]:
    """The process answers."""
    return {"status": "ok"}


@router.get("/readyz")
async def ready(desk: At) -> dict[str, str]:
    """Tasks can be taken: the store can be written.

    An exchange that is away is told and does not matter: what is asked for is kept until it is back.
    """
    try:
        await desk.office.database.probe()
    except StoreError as error:
        raise problem(503, error.message) from error
    exchange, dialer = desk.live.obstacle() or "ok", desk.live.waits() or "ok"
    return {"status": "ready", "exchange": exchange, "dialer": dialer}


@router.get("/metrics", response_class=Response)
async def metrics(desk: At) -> Response:
    """In Prometheus' text format."""
    figures = await ReportStore(desk.office.database).figures(desk.office.clock())
    registry = CollectorRegistry()
    registry.register(_Collected(figures, desk.live, await _writable(desk.office.database)))
    return Response(generate_latest(registry), media_type="text/plain; version=0.0.4; charset=utf-8")


async def _writable(database: Database) -> bool:
    try:
        await database.probe()
    except StoreError:
        return False
    return True


class _Collected:
    """All families at one moment: counters of this process, gauges of the store."""

    def __init__(self, figures: Figures, live: Live, writable: bool) -> None:
        self._figures = figures
        self._live = live
        self._writable = writable

    def collect(self) -> Iterator[Metric]:
        live = self._live
        yield _gauge("agibot_store_writable", "1 while the store can be written.", self._writable)
        yield _gauge("agibot_exchange_up", "1 while calls can be placed.", not live.obstacle())
        yield _gauge(
            "agibot_dialer_waits", "1 while the dialer waits for the store or the exchange.", bool(live.waits())
        )
        yield from self._hearing()
        yield from self._calls()
        yield from self._prompts()
        yield from self._dialling()
        yield from self._outbox()

    def _hearing(self) -> Iterator[Metric]:
        threads = self._live.hearing()
        about = "Threads of the recogniser that hang now."
        yield _gauge("agibot_recognizer_threads_stuck", about, threads.get("stuck", 0))
        about = "Threads of the recogniser that hung and were replaced."
        yield CounterMetricFamily("agibot_recognizer_threads_replaced", about, value=threads.get("replaced", 0))

    def _calls(self) -> Iterator[Metric]:
        meter = self._live.meter
        yield _gauge("agibot_live_calls", "Conversations that are going on.", self._live.calls())
        calls = CounterMetricFamily("agibot_calls", "Finished calls by outcome.", labels=["outcome", "direction"])
        for (outcome, direction), count in meter.calls.items():
            calls.add_metric([outcome, direction], count)
        yield calls
        yield _counters("agibot_engine_errors", "Engines that failed or were replaced.", "kind", meter.engines)
        yield _histogram("agibot_talk_seconds", "Length of conversations.", meter.talk)
        yield _histogram("agibot_reply_seconds", "End of the caller's speech to the reply's first sample.", meter.reply)
        about = "First sound of a caller who interrupts to the bot's silence."
        yield _histogram("agibot_barge_in_seconds", about, meter.barge_in)

    def _prompts(self) -> Iterator[Metric]:
        about = "Pieces of prompts by voice, and whether they were rendered before they were needed."
        spoken = CounterMetricFamily("agibot_prompts", about, labels=["voice", "ready"])
        about = "Waiting for the first sound of those that were not rendered before."
        waited = CounterMetricFamily("agibot_prompt_wait_seconds", about, labels=["voice"])
        for voice, found in self._live.prompts.items():
            spoken.add_metric([voice, "yes"], found.ready)
            spoken.add_metric([voice, "no"], found.waited)
            waited.add_metric([voice], found.waited_ms / 1000)
        yield spoken
        yield waited

    def _dialling(self) -> Iterator[Metric]:
        figures, dialer = self._figures, self._live.dialer
        ended, answered = _of(dialer, "ended."), dialer.get("answered", 0)
        total = sum(ended.values())
        yield _gauge("agibot_lines_used", "Calls that are being placed or had by the dialer.", self._live.dialling())
        yield _gauges("agibot_tasks", "Tasks by state.", "state", figures.tasks)
        yield _gauges("agibot_queue_depth", "Tasks in the dial queue.", "queue", figures.queue)
        yield _counters("agibot_attempts", "Attempts by how they ended.", "how", ended)
        yield CounterMetricFamily("agibot_answered", "Attempts that somebody answered.", value=answered)
        yield _gauge("agibot_answer_rate", "Answered of the ended attempts, 0..1.", answered / total if total else 0.0)
        by = _of(dialer, "answered_by.")
        yield _counters("agibot_answered_by", "Attempts by who or what answered.", "answered_by", by)
        refusals = _of(dialer, "refused.")
        yield _counters("agibot_refusals", "Calls that were not permitted, by rule.", "rule", refusals)

    def _outbox(self) -> Iterator[Metric]:
        letters = GaugeMetricFamily("agibot_outbox_letters", "Letters by state.", labels=["receiver", "state"])
        for (receiver, state), count in self._figures.outbox.items():
            letters.add_metric([receiver, state], count)
        yield letters
        lag = GaugeMetricFamily("agibot_outbox_lag_seconds", "Age of the oldest letter to send.", labels=["receiver"])
        sent = CounterMetricFamily("agibot_outbox_sendings", "Sendings by result.", labels=["receiver", "result"])
        for receiver, counters in self._live.outbox.items():
            lag.add_metric([receiver], self._figures.outbox_lag_s.get(receiver, 0.0))
            for result, count in counters.items():
                sent.add_metric([receiver, result], count)
        yield lag
        yield sent


def _of(counters: Mapping[str, int], head: str) -> dict[str, int]:
    return {name.removeprefix(head): count for name, count in counters.items() if name.startswith(head)}


def _gauge(name: str, text: str, value: float) -> Metric:
    return GaugeMetricFamily(name, text, value=value)


def _histogram(name: str, text: str, values: Histogram) -> Metric:
    return HistogramMetricFamily(name, text, buckets=values.buckets, sum_value=values.total)


def _gauges(name: str, text: str, label: str, values: Mapping[str, int]) -> Metric:
    family = GaugeMetricFamily(name, text, labels=[label])
    for value, count in values.items():
        family.add_metric([value], count)
    return family


def _counters(name: str, text: str, label: str, values: Mapping[str, int]) -> Metric:
    family = CounterMetricFamily(name, text, labels=[label])
    for value, count in values.items():
        family.add_metric([value], count)
    return family
