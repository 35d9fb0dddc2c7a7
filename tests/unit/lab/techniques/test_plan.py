"""The order of arms."""

from aerostat.lab.schedule_file import load_packaged_schedule
from aerostat.lab.techniques.arms import ARM_OF, ARMS, TechniqueArm
from aerostat.lab.techniques.plan import huge_page_arms, plan_techniques

SCHEDULE = load_packaged_schedule("freed")


def test_every_arm_runs_once_a_repeat_on_guests_booted_for_it() -> None:
    plan = plan_techniques(SCHEDULE, ARMS, repeats=3, seed=1)
    ran = [(_name(arm), repeat) for boot in plan.boots for arm, repeat in boot.arms]
    names = [*(arm.name for arm in ARMS), "reference"]
    assert sorted(ran) == sorted((name, repeat) for name in names for repeat in (1, 2, 3))
    for boot in plan.boots:
        kinds = {arm.reports_free_pages for arm, _ in boot.arms if arm is not None}
        assert kinds == {boot.reports_free_pages}


def test_boots_of_one_kind_that_meet_are_one() -> None:
    assert len(plan_techniques(SCHEDULE, ARMS, repeats=2, seed=1).boots) == 3
    assert len(plan_techniques(SCHEDULE, ARMS, repeats=1, seed=1).boots) == 2


def test_repeats_differ_in_order_and_seeds_say_how() -> None:
    arms = [arm for arm in ARMS if not arm.reports_free_pages]
    plan = plan_techniques(SCHEDULE, arms, repeats=3, seed=4)
    (boot,) = plan.boots
    orders = [tuple(_name(a) for a, n in boot.arms if n == repeat) for repeat in (1, 2, 3)]
    assert len(set(orders)) > 1
    assert plan == plan_techniques(SCHEDULE, arms, repeats=3, seed=4)


def test_one_arm_boots_once() -> None:
    (boot,) = plan_techniques(SCHEDULE, [ARM_OF["zswap"]], repeats=1, seed=1).boots
    assert sorted(_name(arm) for arm, _ in boot.arms) == ["reference", "zswap"]


def test_balloons_take_of_guests_with_huge_pages_in_turn() -> None:
    arms = huge_page_arms(ARMS, repeats=2)
    assert [arm.name for arm in arms] == ["balloon", "ladder", "balloon", "ladder"]
    assert not any(arm.reports_free_pages for arm in arms)


def _name(arm: TechniqueArm | None) -> str:
    return "reference" if arm is None else arm.name
