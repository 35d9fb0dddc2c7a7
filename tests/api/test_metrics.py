"""Figures for Prometheus: documented, absent where absent; what alerts and dashboard ask for."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.registry import Collector

from aerostat.api.counters import Counters
from aerostat.api.guest_metrics import GUEST_FIGURES, Labels, guest_lines
from aerostat.control.board import Status
from aerostat.control.orders import Ask, OrderBook
from aerostat.engine.eligibility import is_eligible, steps_that_take
from aerostat.engine.params import EngineParams, LadderParams
from aerostat.model.events import Command, TechniqueAct, TechniqueUsed
from aerostat.model.figures import VmFootprint
from aerostat.model.guest import GuestId, GuestSnapshot, RunState
from aerostat.model.host_state import LadderStep
from aerostat.model.limits import GuestLimits
from aerostat.model.plan import GuestTrace
from aerostat.ports.journal import RoundRecord
from aerostat.units import GIB, MIB
from api.live import Live, live
from simulated_daemon import simulated_rounds

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "metrics.md").read_text("utf-8")
RULES = ROOT / "etc" / "prometheus" / "aerostat-rules.yml"
DASHBOARD = ROOT / "etc" / "grafana" / "aerostat.json"
PINNED = VmFootprint(age_s=0.0, pid=1, locked_bytes=GIB)
_NAME = re.compile(r"\baerostat_[a-z0-9_]+")


def text_of(host: Live) -> str:
    with host.client() as client:
        return client.get("/metrics").raise_for_status().text


def families(text: str) -> dict[str, dict[tuple[tuple[str, str], ...], float]]:
    """Every sample by name and labels."""
    found: dict[str, dict[tuple[tuple[str, str], ...], float]] = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            labels = tuple(sorted(sample.labels.items()))
            found.setdefault(sample.name, {})[labels] = sample.value
    return found


@pytest.fixture(scope="module")
def exported() -> set[str]:
    """All names there are, from the code's own lists; a host need not show each of them."""
    names = set(re.findall(r"^\| `(aerostat_\w+)` \|", PAGE, re.MULTILINE))
    assert len(names) > 40
    return names


def with_parts(names: set[str]) -> set[str]:
    return names | {f"{name}_{part}" for name in names for part in ("bucket", "sum", "count")}


def test_the_page_lists_all_that_is_exported(host: Live, exported: set[str]) -> None:
    shown = {name for name in families(text_of(host)) if not name.endswith("_created")}
    assert shown <= with_parts(exported), sorted(shown - with_parts(exported))


def test_what_a_simulated_host_cannot_show_is_no_sample(host: Live, exported: set[str]) -> None:
    host.until(lambda: bool(host.seat.counters.decisions), "something is decided")
    shown = set(families(text_of(host)))
    unseen = {name for name in exported if name not in shown and f"{name}_sum" not in shown}
    # No agent in the guests, no process of the VM, no pressure of a host that is simulated.
    assert unseen <= {
        "aerostat_guest_pressure_some_ratio",
        "aerostat_guest_host_held_bytes",
        "aerostat_guest_host_swap_bytes",
        "aerostat_guest_host_waiting_ratio",
        "aerostat_guest_ordered",
        "aerostat_host_pressure_some_seconds_total",
        "aerostat_host_pressure_full_seconds_total",
        "aerostat_host_swap_in_bytes_total",
        "aerostat_host_swap_out_bytes_total",
        "aerostat_commands_total",
        "aerostat_host_revocable_bytes",
        "aerostat_technique_acts_total",
        "aerostat_guest_host_limit_bytes",
        "aerostat_guest_host_locked_bytes",
        "aerostat_guest_swap_in_bytes_per_second",
        "aerostat_guest_swap_out_bytes_per_second",
    }


def test_the_figures_are_those_of_the_state(host: Live) -> None:
    def taken() -> float:
        return families(text_of(host))["aerostat_inflated_bytes_total"][()]

    host.until(lambda: taken() > 0, "something is taken")
    with host.client() as client:
        state = client.get("/v1/state").json()
        shown = families(client.get("/metrics").text)
    for guest in state["guests"]:
        labels = (("guest", guest["name"]), ("id", guest["id"]))
        assert shown["aerostat_guest_memory_max_bytes"][labels] == guest["max_bytes"]
    assert shown["aerostat_mode"][(("mode", "enforce"),)] == 1
    assert shown["aerostat_mode"][(("mode", "observe"),)] == 0
    assert shown["aerostat_guests"][()] == len(state["guests"])
    assert shown["aerostat_round_seconds_count"][()] > 0
    assert sum(shown["aerostat_decisions_total"].values()) > 0
    assert shown["aerostat_inflated_bytes_total"][()] > 0


def test_a_guest_that_tells_nothing_has_no_samples_of_what_it_would_tell(tmp_path: Path) -> None:
    with live(tmp_path, names=["a", "b"], has_store=False) as one:
        one.world.guest("a").faults.absent_figures = frozenset({"available_bytes"})
        one.until(lambda: _of_b(families(text_of(one))) == ["b"], "only the other one tells")
        shown = families(text_of(one))
    assert len(shown["aerostat_guest_memory_actual_bytes"]) == 2
    assert "aerostat_store_trouble" not in shown, "there is no store"


def _of_b(shown: dict[str, dict[tuple[tuple[str, str], ...], float]]) -> list[str]:
    told = shown.get("aerostat_guest_memory_available_bytes", {})
    return [dict(labels)["guest"] for labels in told]


def test_lines_of_guests_are_those_the_client_library_writes() -> None:
    """They are written by hand, because thousands of the library's samples cost too much."""
    record = simulated_rounds(40.0, guests=3, is_eventful=False)[-1]
    odd = ('quoted "name"', "back\\slash", "two\nlines")
    pairs = [
        (replace(guest, name=name), replace(trace, name=name))
        for guest, trace, name in zip(record.snapshot.guests, record.trace.guests, odd, strict=True)
    ]
    book = OrderBook().after(
        Ask(command=Command.HOLD, guest=pairs[1][0].guest, who="me", words="hold"), now_s=0.0
    )
    registry = CollectorRegistry(auto_describe=False)
    registry.register(ByTheLibrary(pairs, book))
    by_hand = guest_lines(pairs, book.standing, Labels(), EngineParams())
    assert 'standing="held"' in by_hand
    assert 'step="take_free"} 1.0' in by_hand
    assert values(by_hand) == values(generate_latest(registry).decode())


def values(text: str) -> list[tuple[str, float | str]]:
    """Every line, numbers as numbers: the library writes great ones in Go's way."""
    split = [line.rpartition(" ") for line in text.splitlines()]
    return [(head, tail if head.startswith("#") else float(tail)) for head, _, tail in split]


class ByTheLibrary(Collector):
    def __init__(self, pairs: list[tuple[GuestSnapshot, GuestTrace]], book: OrderBook) -> None:
        self._pairs, self._book = pairs, book

    def collect(self) -> Iterator[Metric]:
        for name, words, figure in GUEST_FIGURES:
            family = GaugeMetricFamily(f"aerostat_guest_{name}", words, labels=["guest", "id"])
            for guest, trace in self._pairs:
                if (value := figure(guest, trace)) is not None:
                    family.add_metric([guest.name, guest.guest], value)
            yield family
        reasons = GaugeMetricFamily(
            "aerostat_guest_reason", "1: why it has its target", labels=["guest", "id", "reason"]
        )
        ordered = GaugeMetricFamily(
            "aerostat_guest_ordered", "1: an operator said so", labels=["guest", "id", "standing"]
        )
        for guest, trace in self._pairs:
            reasons.add_metric([guest.name, guest.guest, trace.reason.value], 1)
            if (one := self._book.standing.get(guest.guest)) is not None:
                assert one.order.standing is not None
                ordered.add_metric([guest.name, guest.guest, one.order.standing.value], 1)
        yield from (reasons, ordered)
        eligible = GaugeMetricFamily(
            "aerostat_guest_eligible",
            "1: this step may take of it, 0: it may not",
            labels=["guest", "id", "step"],
        )
        for step in ("take_free", "take_by_weight"):  # all that the default ladder names
            for guest, _ in self._pairs:
                eligible.add_metric([guest.name, guest.guest, step], 1)
        yield eligible


LADDER = LadderParams(
    hard=(LadderStep.TAKE_FREE, LadderStep.MERGE, LadderStep.SWAP),
    critical=(LadderStep.TAKE_FREE, LadderStep.MERGE, LadderStep.SWAP),
)


@pytest.mark.parametrize(
    ("guest", "limits", "may"),
    [
        ({}, {}, {"take_free": True, "merge": True, "swap": True}),
        ({"has_balloon": False}, {}, {"take_free": False, "merge": True, "swap": True}),
        ({"has_balloon": None}, {}, {"take_free": None, "merge": True, "swap": True}),
        ({"footprint": None}, {}, {"take_free": True, "merge": None, "swap": None}),
        ({"footprint": PINNED}, {}, {"take_free": False, "merge": True, "swap": False}),
        ({}, {"is_managed": False}, {"take_free": False, "merge": False, "swap": False}),
        (
            {},
            {"exempt": frozenset({LadderStep.MERGE})},
            {"take_free": True, "merge": False, "swap": True},
        ),
    ],
)
def test_what_a_step_may_take_of(
    guest: dict[str, Any], limits: dict[str, Any], may: dict[str, bool | None]
) -> None:
    params = EngineParams(ladder=LADDER, default_limits=GuestLimits(**limits))
    given: dict[str, Any] = {
        "max_bytes": GIB, "has_balloon": True, "footprint": VmFootprint(age_s=0.0, pid=1), **guest
    }  # fmt: skip
    snapshot = GuestSnapshot(guest=GuestId("g"), name="g", run_state=RunState.RUNNING, **given)
    steps = [step for step in steps_that_take(params) if step.value in may]
    assert {step.value: is_eligible(snapshot, step, params) for step in steps} == may


def test_what_techniques_took_is_counted_by_step(rounds_of_techniques: list[RoundRecord]) -> None:
    counters = Counters()
    for record in rounds_of_techniques:
        counters.follow(Status(last=record, rounds=record.number))
    assert counters.taken_bytes() == {"merge": 0, "compress": 12 * MIB, "swap": 0}
    assert counters.technique_acts == {
        ("compress", "switched_on"): 1,
        ("compress", "took"): 3,
        ("swap", "failed"): 1,
    }


@pytest.fixture
def rounds_of_techniques() -> list[RoundRecord]:
    def used(step: LadderStep, act: TechniqueAct, taken_bytes: int | None = None) -> TechniqueUsed:
        return TechniqueUsed(guest=GuestId("g"), step=step, act=act, taken_bytes=taken_bytes)

    told = [
        (used(LadderStep.COMPRESS, TechniqueAct.SWITCHED_ON),),
        (
            used(LadderStep.COMPRESS, TechniqueAct.TOOK, 8 * MIB),
            used(LadderStep.COMPRESS, TechniqueAct.TOOK, -3 * MIB),  # its pool grew by more
        ),
        (
            used(LadderStep.COMPRESS, TechniqueAct.TOOK, 4 * MIB),
            used(LadderStep.SWAP, TechniqueAct.FAILED),
        ),
    ]
    rounds = simulated_rounds(20.0, guests=1, is_eventful=False)
    return [replace(record, events=events) for record, events in zip(rounds, told, strict=False)]


def test_names_follow_the_conventions(exported: set[str]) -> None:
    for name in exported:
        assert not re.search(r"_(kib|mib|mb|percent|ms|milliseconds)(_|$)", name), name


def asked_for(text: str) -> set[str]:
    return {re.sub(r"_(bucket|sum|count)$", "", name) for name in _NAME.findall(text)}


def test_every_alert_asks_for_what_there_is_and_has_its_runbook(exported: set[str]) -> None:
    runbooks = (ROOT / "docs" / "runbooks.md").read_text("utf-8")
    headings = set(re.findall(r"^## (\w+)$", runbooks, re.MULTILINE))
    rules = yaml.safe_load(RULES.read_text("utf-8"))["groups"][0]["rules"]
    assert {rule["alert"] for rule in rules} == headings
    for rule in rules:
        assert asked_for(rule["expr"]) <= exported, rule["alert"]
        anchor = rule["annotations"]["runbook"].partition("#")[2]
        assert anchor == rule["alert"].lower()
        assert rule["labels"]["severity"] in {"critical", "warning"}
        assert rule["for"]


def test_promtool_takes_the_rules() -> None:
    beside = str(Path(sys.executable).parent)  # where script/setup puts it
    promtool = shutil.which("promtool", path=os.pathsep.join((beside, os.environ["PATH"])))
    if promtool is None:
        pytest.skip("promtool is not installed (script/setup test)")
    done = subprocess.run(
        [promtool, "check", "rules", str(RULES)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_grafana_dashboard_asks_for_what_there_is(exported: set[str]) -> None:
    document = json.loads(DASHBOARD.read_text("utf-8"))
    asked = asked_for(DASHBOARD.read_text("utf-8"))
    assert asked <= exported, sorted(asked - exported)
    panels = document["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    places = [tuple(panel["gridPos"].values()) for panel in panels]
    assert len(set(places)) == len(places)
    assert all(target["expr"] for panel in panels for target in panel["targets"])
