"""A VM is not asked while its guest can have nothing new to say, and no sample is seen later."""

from dataclasses import fields, replace
from typing import Any

import pytest

from aerostat.drivers.sockets.rest import RESTLESS_S, Rest
from aerostat.model.figures import BalloonStatistics, GuestPressure, VmFootprint
from aerostat.model.guest import GuestId, GuestSnapshot, RunState
from aerostat.units import MIB

GAP_S = 1.0


class Vm:
    """A guest that reports once a second, a little later each time; asked twice a second."""

    def __init__(self, phase_s: float, drift_s: float = 0.004) -> None:
        self.rest = Rest()
        self.samples = [phase_s + number * (GAP_S + drift_s) for number in range(400)]
        self.actual_bytes = 512 * MIB
        self.asked: list[float] = []

    def look(self, now_s: float) -> GuestSnapshot:
        known = self.rest.known(now_s)
        if known is not None:
            return known
        self.asked.append(now_s)
        read = self.answer(now_s)
        self.rest.note(read, asked_s=now_s, sample_gap_s=GAP_S)
        return read

    def answer(self, now_s: float) -> GuestSnapshot:
        come = [sample for sample in self.samples if sample <= now_s]
        stamp = float(int(come[-1]) + 1000) if come else 0.0  # QEMU's has whole seconds
        return GuestSnapshot(
            guest=GuestId("a"),
            name="a",
            run_state=RunState.RUNNING,
            max_bytes=1024 * MIB,
            actual_bytes=self.actual_bytes,
            statistics=BalloonStatistics(sampled_wall_s=stamp, age_s=0.0),
            footprint=VmFootprint(age_s=0.0),
        )


def rounds(vm: Vm, *, seconds: int, pace_s: float = 0.502) -> list[tuple[float, GuestSnapshot]]:
    """What is seen, round by round."""
    times = [10.0 + number * pace_s for number in range(int(seconds / pace_s))]
    return [(now_s, vm.look(now_s)) for now_s in times]


def stamps(seen: list[tuple[float, GuestSnapshot]]) -> dict[float, float]:
    """When each sample was first seen."""
    first: dict[float, float] = {}
    for now_s, snapshot in seen:
        assert snapshot.statistics is not None
        first.setdefault(snapshot.statistics.sampled_wall_s, now_s)
    return first


@pytest.mark.parametrize("phase_s", [0.03, 0.27, 0.51, 0.74, 0.99])
def test_half_the_questions_and_no_sample_is_seen_later_than_a_round(phase_s: float) -> None:
    vm = Vm(phase_s)
    seen = rounds(vm, seconds=120)
    assert len(vm.asked) < 0.65 * len(seen)
    resting, asking = stamps(seen), stamps([(t, vm.answer(t)) for t, _ in seen])
    assert resting.keys() == asking.keys()
    late = [resting[stamp] - asking[stamp] for stamp in asking]
    assert max(late) < 0.51, "a round at most, in the few where a sample came just then"
    assert sum(late) / len(late) < 0.1


def test_figures_grow_older_while_it_is_not_asked() -> None:
    vm = Vm(0.2)
    seen = rounds(vm, seconds=20)
    rested = [(t, s) for t, s in seen if t not in vm.asked]
    assert rested
    for now_s, snapshot in rested:
        asked_s = max(asked for asked in vm.asked if asked < now_s)
        assert snapshot.statistics is not None
        assert snapshot.footprint is not None
        assert snapshot.statistics.age_s == pytest.approx(now_s - asked_s)
        assert snapshot.footprint.age_s == pytest.approx(now_s - asked_s)


def test_whatever_happens_to_it_ends_the_rest() -> None:
    vm = Vm(0.2)
    rounds(vm, seconds=20)
    now_s = vm.asked[-1] + 0.05
    vm.rest.stir(now_s)
    asked = len(vm.asked)
    times = [now_s + 0.25 * number for number in range(int(RESTLESS_S / 0.25))]
    for time_s in times:
        vm.look(time_s)
    assert len(vm.asked) == asked + len(times)


def test_a_balloon_that_moves_is_followed_in_every_round() -> None:
    vm = Vm(0.2)
    rounds(vm, seconds=20)
    asked = len(vm.asked)
    start_s = vm.asked[-1] + 1.2
    for number in range(12):
        vm.actual_bytes -= 8 * MIB
        vm.look(start_s + 0.25 * number)
    assert len(vm.asked) >= asked + 11


@pytest.mark.parametrize(
    "trouble",
    [
        {"run_state": RunState.MIGRATING},
        {"is_backing_up": True},
        {"trouble": "its disk is on fire"},
        {"statistics": BalloonStatistics(sampled_wall_s=0.0, age_s=0.0)},
        {"statistics": None},
        {"pressure": GuestPressure(sampled_wall_s=1.0, age_s=0.0)},
    ],
)
def test_a_vm_that_is_not_settled_is_asked_in_every_round(trouble: dict[str, Any]) -> None:
    vm = Vm(0.2)
    rounds(vm, seconds=20)
    settled = vm.answer(40.0)
    vm.rest.note(replace(settled, **trouble), asked_s=40.0, sample_gap_s=GAP_S)
    assert vm.rest.known(40.01) is None


def test_a_hypervisor_that_reads_its_guest_when_asked_is_always_asked() -> None:
    rest, vm = Rest(), Vm(0.2)
    for number in range(20):
        now_s = 10.0 + 0.5 * number
        assert rest.known(now_s) is None
        rest.note(vm.answer(now_s), asked_s=now_s, sample_gap_s=0.0)


def filled(kind: type[Any]) -> Any:
    """One of a dataclass with something else in each field: which kind of thing is no matter."""
    return kind(**{field.name: number + 1.0 for number, field in enumerate(fields(kind))})


def test_what_grows_old_keeps_all_its_figures() -> None:
    """Each is copied by its name: one that is added to the model must not be forgotten."""
    statistics, footprint = filled(BalloonStatistics), filled(VmFootprint)
    pressure = filled(GuestPressure)
    guest = replace(
        filled(GuestSnapshot), statistics=statistics, pressure=pressure, footprint=footprint
    )
    old = guest.aged(2.0)
    assert old == replace(
        guest,
        statistics=replace(statistics, age_s=statistics.age_s + 2.0),
        pressure=replace(pressure, age_s=pressure.age_s + 2.0),
        footprint=replace(footprint, age_s=footprint.age_s + 2.0),
    )
    bare = replace(guest, statistics=None, pressure=None, footprint=None)
    assert bare.aged(2.0) == bare
