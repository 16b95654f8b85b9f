"""What does the server count, for Prometheus? One registry per service."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, Counter, Histogram
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

if TYPE_CHECKING:
    from finback.server.service import Service

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)


class Metrics:
    def __init__(self, service: Service):
        self.registry = CollectorRegistry()
        self.requests = Counter("finback_requests", "Answered HTTP requests.", ["path", "status"], registry=self.registry)
        self.first_token = Histogram("finback_time_to_first_token_seconds", "From a request's arrival to its first token.", ["model"], buckets=_SECONDS, registry=self.registry)
        self.next_token = Histogram("finback_inter_token_seconds", "Between a request's tokens.", ["model"], buckets=_SECONDS, registry=self.registry)
        self.prompt_tokens = Counter("finback_prompt_tokens", "Prompt tokens, by whether the cache had them.", ["model", "cache"], registry=self.registry)
        self.answer_tokens = Counter("finback_answer_tokens", "Sampled tokens.", ["model", "kind"], registry=self.registry)
        self.finished = Counter("finback_answers", "Answers, by why they ended.", ["model", "reason"], registry=self.registry)
        self.registry.register(_Engines(service))


class _Engines:
    """Reads the engines' own counters when asked."""

    def __init__(self, service: Service):
        self._service = service

    def describe(self) -> Iterable[Metric]:
        return []

    def collect(self) -> Iterable[Metric]:
        running = GaugeMetricFamily("finback_running", "Requests that compute.", labels=["model"])
        waiting = GaugeMetricFamily("finback_waiting", "Requests that wait for a place.", labels=["model"])
        blocks = GaugeMetricFamily("finback_cache_blocks", "Blocks of 128 tokens in use.", labels=["model"])
        steps = CounterMetricFamily("finback_steps", "Forwards.", labels=["model"])
        preemptions = CounterMetricFamily("finback_preemptions", "Requests that gave their memory back and started again.", labels=["model"])
        asked = CounterMetricFamily("finback_prefix_asked_tokens", "Tokens that the prefix store was asked for.", labels=["model"])
        found = CounterMetricFamily("finback_prefix_found_tokens", "Tokens that it had.", labels=["model"])
        checked = CounterMetricFamily("finback_drafts_checked", "Drafts of speculation that were checked.", labels=["model", "position"])
        accepted = CounterMetricFamily("finback_drafts_accepted", "Drafts that came true.", labels=["model", "position"])
        for name, model in self._service.models.items():
            engine = model.engine
            running.add_metric([name], len(engine.running))
            waiting.add_metric([name], len(engine.waiting))
            blocks.add_metric([name], engine.pool.used)
            steps.add_metric([name], engine.steps)
            preemptions.add_metric([name], engine.preemptions)
            if engine.prefixes is not None:
                asked.add_metric([name], engine.prefixes.asked)
                found.add_metric([name], engine.prefixes.found)
            if engine.speculator is not None:
                for at, (n, right) in enumerate(zip(engine.speculator.checked, engine.speculator.accepted)):
                    checked.add_metric([name, str(at)], n)
                    accepted.add_metric([name, str(at)], right)
        return [running, waiting, blocks, steps, preemptions, asked, found, checked, accepted]
