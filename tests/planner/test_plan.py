"""Plans on traces whose answers are known, and what every plan must have."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from aerostat.planner.constants import POOL_RATIO
from aerostat.planner.document import plan_document
from aerostat.planner.fit import is_within
from aerostat.planner.parts import parts_of
from aerostat.planner.plan import Plan, make_plan
from aerostat.planner.question import PlanError, Question, Technique
from aerostat.planner.source import read
from aerostat.sim.compression import COMPRESSED_RATIO, place
from aerostat.sim.trace import Trace
from aerostat.sim.workers import Alone, Cores, Crew
from aerostat.units import GIB, MIB
from planner.traces import constant, question, restless, trace

pytestmark = pytest.mark.slow  # whole plans


def fits(plan: Plan) -> dict[Technique, int]:
    return {one.fit.technique: one.fit.guests for one in plan.techniques}


def test_vms_that_never_change_fit_by_arithmetic() -> None:
    """24 GiB, a tenth of it the host's: 21.6 for VMs of 4 that use 1."""
    found = fits(make_plan(constant(1.0), question(24.0)))
    assert found[Technique.RESERVED] == 5
    assert found[Technique.OVERCOMMIT] == 21
    assert found[Technique.REPORTING] == 21
    relief = 24.0 * POOL_RATIO * (1 / COMPRESSED_RATIO - 1)
    assert found[Technique.ZSWAP] == int(21.6 + relief)
    # A balloon leaves a guest its headroom, a tenth of its max, as long as that lasts.
    assert 15 <= found[Technique.BALLOONING] <= 21


def test_memory_once_touched_stays_without_balloons() -> None:
    """Each VM was busy once, each at another time; then it idles."""
    samples = 32
    rows = [[2.0 if t == 2 * vm else 0.5 for t in range(samples)] for vm in range(8)]
    asked = question(12.0, unmet_ratio_max=0.05)
    found = fits(make_plan(trace(rows, sample_s=100.0), asked))
    assert found[Technique.OVERCOMMIT] <= found[Technique.REPORTING] <= 10
    assert found[Technique.BALLOONING] > 1.3 * found[Technique.OVERCOMMIT]


def test_a_larger_host_takes_more() -> None:
    small = fits(make_plan(restless(), question(24.0)))
    large = fits(make_plan(restless(), question(48.0)))
    assert all(large[technique] > small[technique] for technique in Technique)


def test_more_risk_takes_more_vms() -> None:
    careful = fits(make_plan(restless(), question(unmet_ratio_max=0.001, pressed_ratio_max=0.001)))
    bold = fits(make_plan(restless(), question(unmet_ratio_max=0.05, pressed_ratio_max=0.5)))
    assert all(careful[technique] <= bold[technique] for technique in Technique)
    assert careful[Technique.BALLOONING] < bold[Technique.BALLOONING]


def test_the_number_given_is_within_the_bounds_in_training() -> None:
    asked = question()
    for one in make_plan(restless(), asked).techniques:
        assert one.training.unmet_ratio <= asked.unmet_ratio_max
        assert one.training.pressed_ratio <= asked.pressed_ratio_max
        assert one.fit.guests_least <= one.fit.guests_most


def test_the_same_inputs_give_the_same_plan() -> None:
    def told(seed: int) -> dict[str, object]:
        return plan_document(restless(), "x", make_plan(restless(), question(seed=seed)))

    assert told(1) == told(1)
    assert told(1)["techniques"] != told(2)["techniques"]


def test_what_comes_later_decides_nothing() -> None:
    """The later part is not looked at: whatever it holds, the numbers stay the same."""
    calm = restless()
    training, _ = parts_of(calm, question())
    wild = calm.used_bytes.copy()
    wild[:, training.used_bytes.shape[1] :] = 4 * GIB
    before = make_plan(calm, question())
    after = make_plan(replace(calm, used_bytes=wild), question())
    assert fits(before) == fits(after)
    for name in ("min_bytes", "max_bytes", "weight"):
        assert [getattr(vm, name) for vm in before.vms] == [getattr(vm, name) for vm in after.vms]
    wanted = [plan.ballooned.later.wanted_byte_s.sum() for plan in (before, after)]
    assert wanted[1] > 1.5 * wanted[0], "and it is what the numbers are judged by"


def written(folder: Path, plan_of: Trace, *, spoilt_from: int | None = None) -> Path:
    """As a table; from some sample on VMs grow, are resized, and one of them is gone."""
    lines = ["vm,time_s,used_bytes,max_bytes"]
    for vm, name in enumerate(plan_of.names):
        for n, used in enumerate(plan_of.used_bytes[vm].tolist()):
            is_spoilt = spoilt_from is not None and n >= spoilt_from
            if is_spoilt and vm == 0:
                continue
            size = int(plan_of.max_bytes[vm]) * (2 if is_spoilt else 1)
            lines.append(f"{name},{20 * n},{7 * GIB if is_spoilt else used},{size}")
    path = folder / "fleet.csv"
    path.write_text("\n".join(lines) + "\n")
    return path


def test_what_comes_later_chooses_no_vm_and_no_max(tmp_path: Path) -> None:
    """Through the reader, which takes each VM's max and asks whether it is there all the time."""
    calm, asked = restless(), question()
    training, _ = parts_of(calm, asked)
    later = training.used_bytes.shape[1]
    plans = []
    for spoilt_from in (None, later):
        path = written(tmp_path, calm, spoilt_from=spoilt_from)
        plans.append(make_plan(read(path, host_bytes=asked.host_bytes), asked))
    assert plans[0].training.max_bytes.tolist() == plans[1].training.max_bytes.tolist()
    assert fits(plans[0]) == fits(plans[1])
    assert [vm.max_bytes for vm in plans[0].vms] == [vm.max_bytes for vm in plans[1].vms]
    assert plans[0].later.used_bytes.tolist() != plans[1].later.used_bytes.tolist()


@pytest.mark.parametrize("sample_s", [11.0, 70.0, 299.0])
def test_samples_of_any_length_can_be_planned_with(sample_s: float) -> None:
    plan = make_plan(replace(constant(1.0, vms=4, samples=8), sample_s=sample_s), question(12.0))
    assert plan.ballooned.fit.guests > 0


def test_a_lost_host_leaves_more_to_each_other() -> None:
    plan = make_plan(restless(), question(hosts=4))
    lost = plan.host_lost
    assert lost is not None
    guests = plan.ballooned.fit.guests
    assert lost.guests == -(-guests * 4 // 3)
    assert lost.safe_guests == guests * 3 // 4
    assert lost.safe_later.unmet_ratio <= lost.later.unmet_ratio, "fewer VMs are on what is left"
    assert lost.safe_is_within == is_within(lost.safe_later, question())
    assert lost.later.unmet_ratio >= plan.ballooned.later.unmet_ratio
    assert make_plan(restless(), question(hosts=1)).host_lost is None


def test_reporting_beside_balloons_frees_memory_and_fits_no_more() -> None:
    by_name = {one.fit.technique: one for one in make_plan(restless(), question()).techniques}
    plain = by_name[Technique.BALLOONING]
    reporting = by_name[Technique.BALLOONING_REPORTING]
    assert reporting.fit.guests == plain.fit.guests
    assert reporting.later.unmet_ratio == plain.later.unmet_ratio
    assert 0 < reporting.later.resident_bytes < plain.later.resident_bytes


def test_recommended_limits_are_planned_with_and_judged() -> None:
    """Of VMs that have far more than they use, and one that wants more than its max later."""
    samples = 24
    rows = [[0.25] * samples] * 5 + [[0.25] * 18 + [3.5] * 6]
    plan = make_plan(trace(rows), question(6.0, unmet_ratio_max=0.01))
    advised = {one.fit.technique: one for one in plan.techniques}[Technique.BALLOONING_ADVISED]
    assert advised.training.unmet_ratio <= 0.01
    assert advised.later.unmet_ratio > 0.3, "3 of the 3.5 GiB that one of six wants in the end"


def test_ones_own_figures_of_techniques_change_what_fits() -> None:
    samples = 32
    rows = [[2.0 if t == 2 * vm else 0.5 for t in range(samples)] for vm in range(8)]
    asked = question(12.0, unmet_ratio_max=0.05)
    spiky = trace(rows, sample_s=100.0)
    found = fits(make_plan(spiky, asked))
    better = fits(make_plan(spiky, replace(asked, reported_ratio=0.9, compressed_ratio=0.25)))
    assert better[Technique.REPORTING] > found[Technique.REPORTING]
    assert better[Technique.ZSWAP] > found[Technique.ZSWAP]
    assert better[Technique.OVERCOMMIT] == found[Technique.OVERCOMMIT]


def test_a_crew_comes_to_the_same_plan() -> None:
    def told(crew: Crew) -> dict[str, object]:
        return plan_document(restless(), "x", make_plan(restless(), question(), crew=crew))

    assert told(Cores(2)) == told(Alone())


def test_zswap_is_reckoned_as_the_simulated_host_does() -> None:
    """The plan and the physics' own placing of pages come to the same, pool full or not."""
    question = Question(host_bytes=64 * GIB)
    pool = question.host_bytes * POOL_RATIO
    for over in (0.0, 1.0 * GIB, 10.0 * GIB, 40.0 * GIB):
        placed = place(over, 500.0 * GIB, COMPRESSED_RATIO, pool)
        told = float(question.compressed_bytes(np.array([over]))[0])
        assert told == pytest.approx(placed.compressed, abs=8)
        gained = min(over, question.relief_bytes)
        assert over - gained == pytest.approx(placed.on_disk, abs=8)


def test_what_is_compressed_is_told() -> None:
    plan = make_plan(constant(1.0), question(24.0))
    by_name = {one.fit.technique: one for one in plan.techniques}
    assert by_name[Technique.OVERCOMMIT].later.compressed_ratio == 0
    assert by_name[Technique.ZSWAP].later.compressed_ratio > 0.1
    assert by_name[Technique.BALLOONING].later.compressed_ratio == 0


def test_limits_are_recommended_from_training_and_judged_later() -> None:
    samples = 24
    rows = [[1.0] * samples, [0.5] * 18 + [3.5] * 6, [0.5] * 12 + [3.0] * 4 + [0.5] * 8]
    vms = make_plan(trace(rows), question()).vms
    steady, surprising, busy = vms
    assert (steady.name, steady.min_bytes, steady.max_bytes) == ("vm-0", GIB, 1280 * MIB)
    assert steady.later_above_max_ratio == 0
    assert surprising.max_bytes == 640 * MIB
    assert surprising.later_above_max_ratio == 1.0
    assert busy.min_bytes == 512 * MIB
    assert busy.max_bytes == 3840 * MIB
    assert busy.weight > steady.weight


def test_a_min_is_never_below_what_a_system_lives_in_nor_above_the_max() -> None:
    rows = [[0.01] * 24, [3.99] * 24]
    tiny, full = make_plan(trace(rows), question()).vms
    assert (tiny.min_bytes, tiny.max_bytes) == (128 * MIB, 512 * MIB)
    assert full.max_bytes == 4 * GIB
    assert full.min_bytes <= full.max_bytes


def test_days_are_blocks_where_there_are_days() -> None:
    long = replace(constant(1.0, samples=6 * 288, vms=2), sample_s=300.0)
    training, later = parts_of(long, question())
    assert (training.blocks, later.blocks) == (4, 2)
    assert training.block_s == 86400
    assert later.first_block == 4
    hours, _ = parts_of(replace(constant(1.0, samples=72), sample_s=300.0), question())
    assert hours.block_s == 3600


def test_ticks_are_whole_parts_of_a_sample() -> None:
    for sample_s, tick_s in ((300.0, 10.0), (7.0, 7.0), (25.0, 25.0 / 3), (1.0, 1.0)):
        part, _ = parts_of(replace(constant(1.0), sample_s=sample_s), question())
        assert part.tick_s == pytest.approx(tick_s)


@pytest.mark.parametrize("samples", [1, 4, 7])
def test_too_short_a_trace_is_told(samples: int) -> None:
    with pytest.raises(PlanError, match=f"{samples} samples over .* are too few"):
        make_plan(constant(1.0, samples=samples), question())


def test_vms_larger_than_a_host_are_told() -> None:
    with pytest.raises(PlanError, match=r"smallest VM has 4 GiB, and a host of 4 GiB has 3\.6 GiB"):
        make_plan(constant(1.0), question(4.0))
    mixed = trace([[0.5] * 24, [1.0] * 24], max_gib=[1.0, 64.0])
    plan = make_plan(mixed, question(16.0))
    assert plan.training.vms == 1
    assert [vm.name for vm in plan.vms] == ["vm-0"]


def test_vms_that_use_all_they_have_leave_nothing_to_share() -> None:
    found = fits(make_plan(constant(3.95), question(24.0)))
    assert found[Technique.RESERVED] == 5
    assert found[Technique.OVERCOMMIT] == 5
    assert 4 <= found[Technique.BALLOONING] <= 5


def test_vms_that_use_nothing_are_no_trouble() -> None:
    plan = make_plan(constant(0.0, samples=8, vms=2), question(5.0, resamples=1))
    assert plan.ballooned.later.unmet_ratio == 0
    assert np.isfinite(plan.ballooned.overcommit_ratio)


def test_vms_that_use_next_to_nothing_fit_as_far_as_their_mins_go() -> None:
    """What they want together bounds nothing there: the curve began at ten times what fits."""
    asked = question(16.0)
    found = {one.fit.technique: one for one in make_plan(constant(0.05), asked).techniques}
    fit = found[Technique.BALLOONING].fit
    assert fit.guests > 40
    assert is_within(fit.curve[fit.guests], asked)
    too_many = [n for n, costs in fit.curve.items() if not is_within(costs, asked)]
    assert min(too_many) <= 1.1 * fit.guests + 1
