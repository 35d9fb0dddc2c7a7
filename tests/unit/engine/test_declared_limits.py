"""Whose word on a guest counts: the VM's own settings, then the first rule, then the defaults."""

from dataclasses import replace

import pytest

from aerostat.engine.figures import limits_of
from aerostat.engine.params import EngineParams
from aerostat.model.guest import GuestId, GuestSnapshot, RunState
from aerostat.model.limits import Amount, DeclaredLimits, GuestLimits, LimitRule
from aerostat.units import GIB

RULE = GuestLimits(minimum=Amount(size_bytes=GIB), weight=200)
UUID = "1a6ff4a9-9cbe-4a57-9dc6-1f6b8e7a2d10"


def snapshot(*, name: str = "web", declared: DeclaredLimits | None = None) -> GuestSnapshot:
    return GuestSnapshot(
        guest=GuestId(UUID), name=name, run_state=RunState.RUNNING, declared=declared
    )


def params(*globs: str) -> EngineParams:
    return EngineParams(rules=tuple(LimitRule(name_glob=glob, limits=RULE) for glob in globs))


def test_what_is_declared_at_the_vm_stands_above_a_rule_and_the_rule_fills_the_rest() -> None:
    declared = DeclaredLimits(minimum=Amount(max_ratio=0.5), is_managed=False)
    limits = limits_of(snapshot(declared=declared), params("web"))
    assert limits == GuestLimits(minimum=Amount(max_ratio=0.5), weight=200, is_managed=False)


def test_without_a_rule_the_defaults_fill_the_rest() -> None:
    limits = limits_of(snapshot(declared=DeclaredLimits(weight=300)), params())
    assert limits == GuestLimits(weight=300)


def test_a_rule_may_name_a_vm_by_its_id_which_stays_when_it_is_renamed() -> None:
    assert limits_of(snapshot(name="renamed"), params(UUID)) == RULE


def test_a_glob_is_of_names_only() -> None:
    assert limits_of(snapshot(), params("1*")) == GuestLimits()


@pytest.mark.parametrize(
    ("tags", "is_it"),
    [(("dev", "prod-eu"), True), (("dev",), False), (("Prod-eu",), False), (None, False)],
)
def test_a_rule_may_name_vms_by_a_tag(tags: tuple[str, ...] | None, is_it: bool) -> None:
    tagged = replace(snapshot(), tags=tags)
    rules = (LimitRule(tag_glob="prod-*", limits=RULE),)
    assert (limits_of(tagged, EngineParams(rules=rules)) == RULE) is is_it


def test_a_rule_with_name_and_tag_is_for_both() -> None:
    either = EngineParams(rules=(LimitRule(name_glob="db-*", tag_glob="prod", limits=RULE),))
    assert limits_of(snapshot(name="db-1"), either) == RULE
    assert limits_of(replace(snapshot(), tags=("prod",)), either) == RULE
    assert limits_of(snapshot(name="prod"), either) == GuestLimits()
