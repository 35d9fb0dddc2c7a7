"""Every check holds where all is well and fails where it is not: one that cannot fail is none."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from aerostat.sim.scenario.check import Check
from aerostat.sim.scenario.checks import CHECKS
from aerostat.sim.scenario.recording import Instant, Recording
from aerostat.units import MIB
from sim.recordings import WELL, command, instant, recording
from sim.scenarios import SCENARIOS, ours

WELL_RUN = recording()


def at(at_s: float, **guest: Any) -> Instant:
    return instant(at_s, replace(WELL, **guest))


def climbing(**counter: float) -> Recording:
    """A counter of the guest climbs from second 7 on."""
    return recording(*(at(second, **counter) for second in range(7, 20)))


Case = tuple[str, Mapping[str, Any], Recording]
BY_TRUTH: tuple[Case, ...] = (
    ("raised_to", {"to": "max", "within": "3s", "after": "7s"},
     recording(*(at(s, target_bytes=900 * MIB) for s in range(7, 11)))),
    ("target_never_below", {"size": "900MiB"}, recording(at(7, target_bytes=800 * MIB))),
    ("never_lowered", {}, recording(commands=(command(7, 1024, 900),))),
    ("never_lowered_while_starving", {},
     recording(at(6, stalled_s=0.0), at(7, stalled_s=0.8),
               commands=(command(8, 1024, 900),))),
    ("moves_at_most", {"count": 1},
     recording(commands=(command(7, 1024, 900), command(8, 900, 1024)))),
    ("flips_at_most", {"count": 0},
     recording(commands=(command(7, 1024, 900), command(8, 900, 1024)))),
    ("takes_at_most", {"size": "200MiB"},
     recording(commands=(command(7, 1024, 900), command(8, 900, 800)))),
    ("step_at_most", {"size": "100MiB"}, recording(commands=(command(7, 1024, 900),))),
    ("taken_together_at_most", {"size": "200MiB", "within": "1s"},
     recording(commands=(command(7, 1024, 900), command(7.5, 900, 800)))),
    ("pending_at_most", {"size": "100MiB"}, recording(at(7, target_bytes=900 * MIB))),
    ("stays_within", {"least": "900MiB"}, recording(at(7, actual_bytes=800 * MIB))),
    ("stays_within", {"most": "1GiB"}, recording(at(7, actual_bytes=1025 * MIB))),
    ("oom_kills_at_most", {"count": 0}, climbing(oom_kills=1)),
    ("swap_out_at_most", {"size": "1MiB"}, climbing(swap_out_bytes=2 * MIB)),
    ("swap_in_at_most", {"size": "1MiB"}, climbing(swap_in_bytes=2 * MIB)),
    ("host_available_at_least", {"size": "1GiB"},
     recording(instant(7, available_bytes=MIB))),
    ("host_recovers", {"size": "1GiB", "within": "2s", "after": "4s"},
     recording(instant(7, available_bytes=MIB))),
    ("host_never_over", {}, recording(instant(7, over_bytes=MIB))),
    ("host_swap_in_at_most", {"size": "1MiB"},
     recording(instant(19, host_swap_in_bytes=2 * MIB))),
    ("actual_sum_at_most", {"size": "1GiB"}, recording(at(7, actual_bytes=1025 * MIB))),
)  # fmt: skip

WINDOWED = tuple(case for case in BY_TRUTH if "after" not in case[1])
"""The others name their window themselves."""


def check(kind: str, **keys: Any) -> Check:
    return CHECKS[kind].model_validate({"name": "tried", "check": kind, **keys})


@pytest.mark.parametrize("case", BY_TRUTH, ids=lambda case: str(case[0]))
def test_it_holds_where_all_is_well_and_fails_where_not(case: Case) -> None:
    kind, keys, bad = case
    tried = check(kind, **keys)
    assert tried.failure(WELL_RUN) is None
    assert tried.failure(bad)


@pytest.mark.parametrize("case", WINDOWED, ids=lambda case: str(case[0]))
def test_it_looks_only_at_its_window(case: Case) -> None:
    """What went wrong after it ends is another check's business."""
    kind, keys, bad = case
    assert check(kind, **keys, until="5s").failure(bad) is None


# What rounds and workloads say is judged on a real run, where it holds, and asked for in vain.
BY_RUN: tuple[tuple[str, Mapping[str, Any], Mapping[str, Any]], ...] = (
    (
        "lowered_to",
        {"guest": "reader", "to": "1300MiB", "after": "30s", "within": "60s"},
        {"guest": "reader", "to": "100MiB", "after": "30s", "within": "60s"},
    ),
    (
        "served_at_least",
        {"guest": "reader", "ratio": "90%", "after": "10s"},
        {"guest": "reader", "ratio": "90%", "after": "10m"},
    ),
    ("ended", {"until": "2m"}, {"until": "80s"}),
    ("refused", {}, {"guest": "worker"}),
    ("reason_seen", {"reason": "hold_figures_absent"}, {"reason": "hold_migrating"}),
    ("reason_never", {"reason": "hold_migrating"}, {"reason": "hold_figures_absent"}),
    ("doubt_seen", {}, {}),
    ("figures_age_shown", {"age": "1s"}, {"age": "30s", "after": "10s"}),
    ("ladder_seen", {"step": "take_free"}, {"step": "alert"}),
    ("effect_seen", {"effect": "working"}, {"effect": "nothing_is_ordered"}),
    ("rounds_at_least_every", {"gap": "2s"}, {"gap": "100ms"}),
)
NEVER_ON_THIS_RUN = {"refused", "doubt_seen"}


@pytest.fixture(scope="module")
def run() -> Recording:
    return ours(SCENARIOS["r07-cache-is-not-need"]).recording


@pytest.mark.parametrize("case", BY_RUN, ids=lambda case: str(case[0]))
def test_on_a_real_run_it_tells_what_holds_from_what_does_not(
    case: tuple[str, Mapping[str, Any], Mapping[str, Any]], run: Recording
) -> None:
    kind, good, bad = case
    if kind not in NEVER_ON_THIS_RUN:
        assert check(kind, **good).failure(run) is None
    assert check(kind, **bad).failure(run)


def test_half_served_is_not_served(run: Recording) -> None:
    half = replace(run, seconds=[replace(s, served=s.offered // 2) for s in run.seconds])
    assert check("served_at_least", ratio="40%", after="1s").failure(half) is None
    assert check("served_at_least", ratio="60%", after="1s").failure(half)


def test_no_check_is_untried() -> None:
    tried = {kind for kind, *_ in BY_TRUTH} | {kind for kind, *_ in BY_RUN}
    assert tried == set(CHECKS)


def test_who_was_not_there_is_not_judged_well() -> None:
    """A misspelt window or guest must not make a check hold for ever."""
    late = recording()
    late.instants.clear()
    assert check("target_never_below", size="1GiB").failure(late) == "vm was not there"
    assert check("stays_within", least="1GiB").failure(late) == "vm was not there"
