"""Figures for Prometheus. An absent value is no sample, never 0; docs/metrics.md lists them all."""

from collections.abc import Iterable, Iterator
from typing import Any

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector

from aerostat import __version__
from aerostat.api.counters import BUCKETS_S
from aerostat.api.guest_metrics import Labels, guest_lines
from aerostat.api.seat import Seat
from aerostat.api.state import host_document
from aerostat.api.written import PerRound
from aerostat.model.effect import Effect
from aerostat.model.host_state import HOST_STEPS, HostState, LadderStep
from aerostat.model.modes import Mode
from aerostat.model.plan import HostTrace

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_LABELS = ("guest", "id")
HOST_FIGURES = (
    ("memory_total_bytes", "RAM of the host", ("memory", "total_bytes")),
    ("memory_available_bytes", "As its kernel says", ("memory", "available_bytes")),
    ("swap_total_bytes", "Its swap", ("memory", "swap_total_bytes")),
    ("swap_free_bytes", "Of it, free", ("memory", "swap_free_bytes")),
    ("revocable_bytes", "Saved by page sharing: any write takes it back",
     ("memory", "revocable_bytes")),
    ("rising_bytes", "What VMs that tell nothing of themselves are about to take",
     ("rising_bytes",)),
    ("owed_bytes", "What guests in distress lack of their due, and nobody can be made to give",
     ("owed_bytes",)),
    ("supply_bytes", "What all guests together may hold", ("supply_bytes",)),
    ("committed_bytes", "What they hold or have been promised", ("committed_bytes",)),
    ("demand_bytes", "What they need", ("demand_bytes",)),
    ("short_bytes", "What of that cannot be met", ("short_bytes",)),
    ("reserved_bytes", "Kept for VMs that are coming, or reclaimed", ("reserved_bytes",)),
    ("guests_max_bytes", "Sum of what guests booted with", ("max_bytes",)),
    ("ballooned_bytes", "Taken out of guests", ("account", "ballooned_bytes")),
    ("untouched_bytes", "Held by guests and not touched yet", ("account", "untouched_bytes")),
    ("guests_swapped_bytes", "Of guests, in the host's swap", ("account", "swapped_bytes")),
    ("reserve_bytes", "The host's own reserve", ("account", "reserve_bytes")),
)  # fmt: skip
HOST_COUNTERS = (
    ("swap_in_bytes", "Read from the host's swap since it booted", ("memory", "swap_in_bytes")),
    ("swap_out_bytes", "Written to the host's swap", ("memory", "swap_out_bytes")),
    ("pressure_some_seconds", "Some task waited for memory",
     ("memory", "pressure_some_total_s")),
    ("pressure_full_seconds", "All tasks waited for memory",
     ("memory", "pressure_full_total_s")),
)  # fmt: skip


class Metrics:
    """Writes the daemon's figures out when asked."""

    def __init__(self, seat: Seat) -> None:
        self._seat = seat
        self._labels = Labels()
        self._registry = CollectorRegistry(auto_describe=False)
        self._registry.register(_Figures(seat))
        self._written = PerRound(seat)

    def body(self) -> bytes:
        """All of them, in Prometheus' text format."""
        return self._written.body("metrics", self._write)

    def _write(self) -> bytes:
        return generate_latest(self._registry) + self._of_guests()

    def _of_guests(self) -> bytes:
        record = self._seat.board.status.last
        if record is None:
            return b""
        pairs = list(zip(record.snapshot.guests, record.trace.guests, strict=True))
        self._labels.keep(guest.guest for guest, _ in pairs)
        status = self._seat.board.status
        params = status.params or self._seat.config().engine_params()
        return guest_lines(pairs, status.orders.standing, self._labels, params).encode()


class _Figures(Collector):
    def __init__(self, seat: Seat) -> None:
        self._seat = seat

    def collect(self) -> Iterable[Metric]:
        """Everything, read off one status."""
        yield from self._daemon()
        yield from self._counted()
        yield from self._host()

    def _daemon(self) -> Iterator[Metric]:
        seat, status = self._seat, self._seat.board.status
        info = GaugeMetricFamily("aerostat_build_info", "1", labels=["version"])
        info.add_metric([__version__], 1)
        yield info
        yield _one_of("aerostat_mode", "1: the mode in force", Mode, seat.config().mode)
        if status.last is not None:
            age_s = max(0.0, seat.clock.now_s() - status.last.snapshot.now_s)
            yield _gauge("aerostat_round_age_seconds", "Since the last completed round", age_s)
            yield _gauge("aerostat_guests", "VMs found", len(status.last.snapshot.guests))
        if seat.counters.lag_s is not None:
            words = "How much later than planned the last round began"
            yield _gauge("aerostat_loop_lag_seconds", words, seat.counters.lag_s)
        yield _count("aerostat_round_failures", "Rounds that failed", status.failures)
        yield _count("aerostat_events_dropped", "Events lost in storms", status.events_dropped)
        if seat.store_path is not None:
            health = seat.health()
            words = "1: rounds cannot be written just now"
            yield _gauge("aerostat_store_trouble", words, int(health.trouble is not None))
            words = "Rounds missing from the store"
            yield _count("aerostat_store_rounds_dropped", words, health.rounds_dropped)

    def _counted(self) -> Iterator[Metric]:
        counters = self._seat.counters
        rounds = HistogramMetricFamily("aerostat_round_seconds", "How long rounds take")
        total, buckets = 0, []
        for bound, count in zip((*BUCKETS_S, "+Inf"), counters.round_buckets, strict=True):
            total += count
            buckets.append((str(bound), float(total)))
        rounds.add_metric([], buckets, counters.round_sum_s)
        yield rounds
        yield _counts("aerostat_decisions", "Targets sent", "reason", dict(counters.decisions))
        yield _counts(
            "aerostat_targets", "How targets ended", "outcome", counters.outcomes_of_all()
        )
        yield _counts("aerostat_commands", "Of operators", "command", dict(counters.commands))
        words = "Times a guest was released because it was short of memory"
        yield _count("aerostat_distress_releases", words, counters.distress_releases)
        words = "Taken out of guests, as seen in what they hold"
        yield _count("aerostat_inflated_bytes", words, counters.inflated_bytes)
        words = "Given back to guests, as seen in what they hold"
        yield _count("aerostat_deflated_bytes", words, counters.deflated_bytes)

    def _host(self) -> Iterator[Metric]:
        status = self._seat.board.status
        if status.last is None:
            return
        document, trace = host_document(status), status.last.trace.host
        yield _one_of("aerostat_host_state", "1: how short the host is", HostState, trace.state)
        yield _one_of("aerostat_effect", "1: whether it has any effect", Effect, trace.effect)
        for name, words, path in HOST_FIGURES:
            if (value := _at(document, path)) is not None:
                yield _gauge(f"aerostat_host_{name}", words, value)
        for name, words, path in HOST_COUNTERS:
            if (value := _at(document, path)) is not None:
                yield _count(f"aerostat_host_{name}", words, value)
        account = document.get("account") or {}
        family = GaugeMetricFamily(
            "aerostat_host_ram_bytes", "The host's RAM by what it is for", labels=["kind"]
        )
        beside = {"ballooned_bytes", "untouched_bytes", "swapped_bytes"}
        for name, value in account.items():
            if name not in beside:
                family.add_metric([name.removesuffix("_bytes")], value)
        yield family
        yield from self._techniques(trace)

    def _techniques(self, trace: HostTrace) -> Iterator[Metric]:
        words = "1: the host's state lets this step be used"
        yield _each_of("aerostat_step_allowed", words, LadderStep, trace.allowed)
        words = "1: the host's own technique is on for the ladder"
        yield _each_of("aerostat_technique_in_use", words, HOST_STEPS, trace.in_use)
        counters = self._seat.counters
        words = "What the host really got back by it, pools deducted"
        yield _counts("aerostat_technique_taken_bytes", words, "step", counters.taken_bytes())
        family = CounterMetricFamily(
            "aerostat_technique_acts", "What was done with it", labels=["step", "act"]
        )
        for (step, act), times in sorted(counters.technique_acts.items()):
            family.add_metric([step, act], times)
        yield family


def _at(document: Any, path: tuple[str, ...]) -> Any:
    for step in path:
        document = None if document is None else document.get(step)
    return document


def _gauge(name: str, words: str, value: float) -> Metric:
    return GaugeMetricFamily(name, words, value=value)


def _count(name: str, words: str, value: float) -> Metric:
    return CounterMetricFamily(name, words, value=value)


def _counts(name: str, words: str, label: str, values: dict[str, int]) -> Metric:
    family = CounterMetricFamily(name, words, labels=[label])
    for word, value in sorted(values.items()):
        family.add_metric([word], value)
    return family


def _each_of(
    name: str, words: str, steps: Iterable[LadderStep], now: Iterable[LadderStep]
) -> Metric:
    family, there = GaugeMetricFamily(name, words, labels=["step"]), set(now)
    for step in steps:
        family.add_metric([step.value], int(step in there))
    return family


def _one_of(name: str, words: str, kinds: Any, now: Any) -> Metric:
    family = GaugeMetricFamily(name, words, labels=[name.rpartition("_")[2]])
    for kind in kinds:
        family.add_metric([kind.value], int(kind is now))
    return family
