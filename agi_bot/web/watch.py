"""Metrics and health, for machines that watch: no key is needed, and nothing of a person is told."""

from __future__ import annotations

from collections.abc import Iterator

from fastapi import APIRouter, Response
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from agi_bot.campaign.store.reports import Figures, ReportStore
from agi_bot.errors import StoreError
from agi_bot.web.doors import At, problem
from agi_bot.web.live import Live

router = APIRouter(tags=["watching"])


@router.get("/healthz")
async def alive() -> dict[str, str]:
    """The process answers."""
    return {"status": "ok"}


@router.get("/readyz")
async def ready(desk: At) -> dict[str, str]:
    """The store can be read."""
    try:
        await desk.office.outbox.backlog()
    except StoreError as error:
        raise problem(503, error.message) from error
    return {"status": "ready"}


@router.get("/metrics", response_class=Response)
async def metrics(desk: At) -> Response:
    """In Prometheus' text format."""
    figures = await ReportStore(desk.office.database).figures(desk.office.clock())
    registry = CollectorRegistry()
    registry.register(_Collected(figures, desk.live))
    return Response(generate_latest(registry), media_type="text/plain; version=0.0.4; charset=utf-8")


class _Collected:
    """All families at one moment."""

    def __init__(self, figures: Figures, live: Live) -> None:
        self._figures = figures
        self._live = live

    def collect(self) -> Iterator[Metric]:
        figures, live = self._figures, self._live
        yield _gauge("agibot_live_calls", "Conversations that are going on.", live.calls())
        yield _gauge("agibot_lines_used", "Calls that are being placed or had by the dialer.", live.dialling())
        yield _gauges("agibot_tasks", "Tasks by state.", "state", figures.tasks)
        yield _gauges("agibot_queue_depth", "Tasks in the dial queue.", "queue", figures.queue)
        yield _counters("agibot_calls", "Finished calls by outcome.", "outcome", figures.outcomes)
        yield _counters("agibot_attempts", "Attempts by how they ended.", "how", figures.attempts)
        yield _counters("agibot_refusals", "Calls that were not permitted, by rule.", "rule", figures.refusals)
        yield _gauges("agibot_outbox_letters", "Letters to the CRM by state.", "state", figures.outbox)
        yield _gauge("agibot_outbox_lag_seconds", "Age of the oldest letter that waits.", figures.outbox_lag_s)
        yield _counters("agibot_outbox_sendings", "Sendings to the CRM by result.", "result", dict(live.outbox))
        yield _counter("agibot_talk_seconds", "Time talked.", figures.talk_s)
        yield _counters("agibot_engine_errors", "Errors of engines in calls, by kind.", "kind", figures.errors)


def _gauge(name: str, text: str, value: float) -> Metric:
    return GaugeMetricFamily(name, text, value=value)


def _counter(name: str, text: str, value: float) -> Metric:
    return CounterMetricFamily(name, text, value=value)


def _gauges(name: str, text: str, label: str, values: dict[str, int]) -> Metric:
    family = GaugeMetricFamily(name, text, labels=[label])
    for value, count in values.items():
        family.add_metric([value], count)
    return family


def _counters(name: str, text: str, label: str, values: dict[str, int]) -> Metric:
    family = CounterMetricFamily(name, text, labels=[label])
    for value, count in values.items():
        family.add_metric([value], count)
    return family
