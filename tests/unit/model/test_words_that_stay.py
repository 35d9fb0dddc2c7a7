"""Codes that leave the process are never renamed, and docs/reasons.md says what each means.

``EVER`` is what recordings out there may hold. A new code is added at the end of its list, and gets
a row on the page; a list from which something is missing is an Aerostat that cannot read its past.
"""

import re
from enum import StrEnum
from pathlib import Path

import pytest

from aerostat.engine.explain import explain
from aerostat.model.admission import Verdict
from aerostat.model.effect import Effect
from aerostat.model.events import Command, LifecycleKind, Outcome, PressureTrigger, TechniqueAct
from aerostat.model.figures import Absence
from aerostat.model.guest import GuestId, RunState
from aerostat.model.host_state import HostState, LadderStep
from aerostat.model.plan import GuestTrace
from aerostat.model.reasons import Bound, Reason

PAGE = (Path(__file__).parents[3] / "docs" / "reasons.md").read_text(encoding="utf-8")

HEADINGS: dict[str, type[StrEnum]] = {
    "Reasons": Reason,
    "Bounds": Bound,
    "Lives": LifecycleKind,
    "Commands": Command,
    "Admissions": Verdict,
    "Run states": RunState,
    "Outcomes": Outcome,
    "Host states": HostState,
    "Steps of the ladder": LadderStep,
    "Pressure triggers": PressureTrigger,
    "Acts of techniques": TechniqueAct,
    "Effect": Effect,
    "Absent figures": Absence,
}

EVER = {
    "Reasons": """
        released_for_distress grown_to_demand grown_from_surplus raised_to_min lowered_to_max
        taken_for_others taken_for_host held_fixed released_on_reset released_on_stop
        nudged_at_max
        stall_accepted hold_has_enough hold_within_dead_band hold_at_floor hold_waiting_for_memory
        hold_under_pressure hold_figures_absent hold_figures_stale hold_in_grace hold_cooldown
        hold_oscillating hold_not_running hold_migrating hold_unreachable hold_no_balloon
        hold_not_managed hold_outcome_unknown hold_host_unknown hold_doubted
        released_for_shutdown released_on_failures hold_backing_up
        hold_in_host_swap hold_confined lowered_to_limit hold_unsure
        hold_pinned hold_left_to_host
        released_by_operator hold_by_operator hold_yielded
        called_back hold_blurred grown_for_cache
        """,
    "Bounds": """
        none min max floor supply step freshness pressure dead_band stall operator
        host_swap limit
        """,
    "Lives": "appeared paused resumed reset shutdown crashed disappeared shutdown_asked",
    "Commands": "set hold unhold release reclaim admit",
    "Admissions": "admitted no_room starts_refused already_here host_unknown",
    "Run states": "running paused migrating shutdown crashed unreachable unknown",
    "Outcomes": "accepted refused unknown",
    "Host states": "comfortable soft hard critical unknown",
    "Steps of the ladder": """
        give_surplus take_free take_by_weight give_to_distress_only refuse_starts alert
        reporting merge compress swap
        split
        """,
    "Pressure triggers": "some full",
    "Acts of techniques": "switched_on put_back took failed",
    "Effect": "working orders_move_nothing nothing_is_ordered",
    "Absent figures": "not_reported unset never_sampled absurd stale",
}


def on_page(heading: str) -> list[str]:
    (section,) = [part for part in PAGE.split("\n## ")[1:] if part.startswith(f"{heading}\n")]
    rows = re.findall(r"^\| `(\w+)` \| (.+) \|$", section, re.MULTILINE)
    assert all(meaning.strip() for _, meaning in rows)
    return [code for code, _ in rows]


def test_the_page_has_a_section_for_each_kind_of_code() -> None:
    assert re.findall(r"^## (.+)$", PAGE, re.MULTILINE) == list(HEADINGS)
    assert EVER.keys() == HEADINGS.keys()


@pytest.mark.parametrize("heading", HEADINGS)
def test_no_code_was_renamed_or_taken_away(heading: str) -> None:
    assert {word.value for word in HEADINGS[heading]} >= set(EVER[heading].split())


@pytest.mark.parametrize("heading", HEADINGS)
def test_a_new_code_is_written_down_for_ever(heading: str) -> None:
    assert set(EVER[heading].split()) >= {word.value for word in HEADINGS[heading]}


@pytest.mark.parametrize("heading", HEADINGS)
def test_the_page_says_what_every_code_means(heading: str) -> None:
    assert sorted(on_page(heading)) == sorted(word.value for word in HEADINGS[heading])


@pytest.mark.parametrize("reason", Reason)
def test_every_reason_has_words(reason: Reason) -> None:
    trace = GuestTrace(
        guest=GuestId("g"),
        name="g",
        reason=reason,
        bound=Bound.NONE,
        target_before_bytes=None,
        target_bytes=None,
    )
    assert explain(trace)
