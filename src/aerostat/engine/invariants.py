"""What must hold after every round, whatever was read: checked always, cheap enough to stay on."""

from operator import attrgetter

from aerostat.engine import codes
from aerostat.engine.closing import lent_bytes
from aerostat.engine.columns import RUN_RUNNING, STANDING_NONE, Round
from aerostat.engine.guard import BRAKE_S, TARGET_GRAIN_BYTES, TURNS_MAX

_rules = attrgetter(
    "protects",
    "checks_freshness",
    "keeps_grace",
    "spares_the_pressed",
    "keeps_floors",
    "limits_steps",
    "paces",
    "takes_once_a_sample",
    "notices_stalls",
    "backs_off",
    "brakes",
    "frees_first",
    "doubts",
    "spares_swapped",
    "counts_rising",
    "heeds_limits",
)


def check(r: Round, *, supply_bytes: int | None) -> None:
    """Assert the invariants of a decided round.

    Raises:
        AssertionError: a rule of the engine broke; the loop then changes nothing in this round.
    """
    if not all(_rules(r.knobs)):
        return  # an experiment with a rule switched off: breaking something is its purpose
    before = 0
    after = 0
    for i, target in enumerate(r.decision.target_bytes):
        ordered = r.estimates.ordered_bytes[i]
        actual = max(r.figures.actual_bytes[i], 0)
        before += r.estimates.committed_bytes[i]
        after += max(r.estimates.committed_bytes[i] if target <= ordered else actual, target)
        _check_distress(r, i)
        if target == ordered:
            continue
        assert r.figures.run[i] == RUN_RUNNING, "only running guests are moved"
        ceiling = max(r.figures.max_bytes[i], ordered, actual)
        assert 0 < target <= ceiling, "nobody is raised above max"
        if target < ordered and r.knobs.is_guarded == 1:
            _check_take(r, i)
    taken = sum(map(_taken_bytes, r.estimates.ordered_bytes, r.decision.target_bytes))
    most = int(r.knobs.host_step_rate_max * r.knobs.figures_age_s_max)
    floor = len(r.figures.run) * TARGET_GRAIN_BYTES
    called_back = r.decision.reason.count(codes.CALLED_BACK)
    assert r.knobs.is_guarded == 0 or called_back or taken <= max(most, floor), (
        "no more is taken at once from all guests than the host can follow"
    )
    loan = sum(r.estimates.loan_bytes)
    allowed = (supply_bytes or 0) + lent_bytes(r, 0, len(r.figures.run)) - loan
    most = max(before, allowed) + loan + r.backing_bytes
    assert after <= most, "gives never push the guests over the supply"


def _check_distress(r: Round, i: int) -> None:
    """Who is in distress is raised, whatever the rules, or waits for memory and nothing else."""
    if r.estimates.is_distressed[i] == 0 or r.estimates.is_movable[i] == 0:
        return
    target, ordered = r.decision.target_bytes[i], r.estimates.ordered_bytes[i]
    if r.knobs.is_guarded == 0 or ordered >= r.figures.max_bytes[i]:
        return
    waits = r.decision.reason[i] == codes.WAITING
    assert target > ordered or waits, "distress beats everything but the want of memory"


def _taken_bytes(ordered: int, target: int) -> int:
    return max(0, ordered - target)


def _check_take(r: Round, i: int) -> None:
    target = r.decision.target_bytes[i]
    assert r.estimates.is_distressed[i] == 0, "a guest in distress is never shrunk"
    assert r.estimates.is_closing[i] == 0, "a guest that shuts down is not taken from"
    if target >= r.figures.actual_bytes[i]:
        return  # nothing leaves the guest: a stalled or pending target is set back to `actual`
    assert r.figures.standing[i] == STANDING_NONE, "a guest that is held is not taken from"
    is_hunted = r.memory.turns[i] >= TURNS_MAX + 1.0 and r.now_s - r.memory.take_s[i] < BRAKE_S
    assert not is_hunted, "a guest that was moved to and fro is left alone for a while"
    assert r.estimates.is_usable[i] == 1, "nothing is taken on figures that are not believed"
    floor = min(r.estimates.ordered_bytes[i], r.figures.min_bytes[i])
    assert target >= floor, "nobody is taken below min"
