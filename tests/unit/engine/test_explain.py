"""Explanations: every reason has words, and they carry the numbers that decided."""

from dataclasses import replace

import pytest

from aerostat.engine.explain import explain
from aerostat.model.guest import GuestId
from aerostat.model.plan import GuestTrace
from aerostat.model.reasons import Bound, Reason
from builders import Guest, World, params

NOTHING_KNOWN = GuestTrace(
    guest=GuestId("a"),
    name="a",
    reason=Reason.HOLD_HAS_ENOUGH,
    bound=Bound.NONE,
    target_before_bytes=None,
    target_bytes=None,
)


@pytest.mark.parametrize("reason", Reason)
@pytest.mark.parametrize("bound", Bound)
def test_every_reason_can_be_said_even_when_nothing_is_known(reason: Reason, bound: Bound) -> None:
    words = explain(replace(NOTHING_KNOWN, reason=reason, bound=bound))
    assert words
    assert "{" not in words
    assert "None" not in words


def test_a_release_says_how_much_and_why() -> None:
    world = World(guests=[Guest(name="a", actual_mib=200, used_mib=196)], params=params())
    world.round()
    words = explain(world.trace("a"))
    assert words.startswith("200 MiB -> 512 MiB: released")
    assert "4 MiB available" in words
