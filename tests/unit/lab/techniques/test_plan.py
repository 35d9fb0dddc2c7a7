"""The order of arms."""

from aerostat.lab.schedule_file import load_packaged_schedule
from aerostat.lab.techniques.arms import ARM_OF, ARMS
from aerostat.lab.techniques.plan import plan_techniques

SCHEDULE = load_packaged_schedule("freed")


def test_every_arm_runs_once_a_repeat_on_guests_booted_for_it() -> None:
    plan = plan_techniques(SCHEDULE, ARMS, repeats=3, seed=1)
    ran = [(arm.name, repeat) for boot in plan.boots for arm, repeat in boot.arms]
    assert sorted(ran) == sorted((arm.name, repeat) for arm in ARMS for repeat in (1, 2, 3))
    for boot in plan.boots:
        assert {arm.reports_free_pages for arm, _ in boot.arms} == {boot.reports_free_pages}


def test_boots_of_one_kind_that_meet_are_one() -> None:
    assert len(plan_techniques(SCHEDULE, ARMS, repeats=2, seed=1).boots) == 3
    assert len(plan_techniques(SCHEDULE, ARMS, repeats=1, seed=1).boots) == 2


def test_repeats_differ_in_order_and_seeds_say_how() -> None:
    arms = [arm for arm in ARMS if not arm.reports_free_pages]
    plan = plan_techniques(SCHEDULE, arms, repeats=3, seed=4)
    (boot,) = plan.boots
    orders = [tuple(a.name for a, n in boot.arms if n == repeat) for repeat in (1, 2, 3)]
    assert len(set(orders)) > 1
    assert plan == plan_techniques(SCHEDULE, arms, repeats=3, seed=4)


def test_one_arm_boots_once() -> None:
    (boot,) = plan_techniques(SCHEDULE, [ARM_OF["zswap"]], repeats=1, seed=1).boots
    assert [arm.name for arm, _ in boot.arms] == ["zswap"]
