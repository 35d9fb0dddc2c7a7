"""Cache: what a guest's page cache is worth, by the files it reads again with less or more of it.

To its balloon's figures all of a cache is available. What it is worth shows only when it changes:
after a take the guest reads what it did not have to read before, and gets that back; after an offer
of what nobody needs it reads less, and keeps it. An agent counts what is missed; without one the
guest's disks do, as its hypervisor sees them. Who reads each file once reads as much with any
cache: that one is offered more ever more rarely.
"""

from aerostat.engine.columns import Round
from aerostat.engine.distress import (
    BLAMED_S,
    FAULT_RATE,
    free_after_orders,
    headroom_bytes,
    is_squeezed,
    wait_longer,
)
from aerostat.policy.columns import ABSENT
from aerostat.units import MIB, PAGE_BYTES

MISSED_RATE_MIN = FAULT_RATE * PAGE_BYTES
"""Bytes of files a second, missed or read again, that are worth a thought."""
MISSED_FACTOR = 2.0
"""So many times as much as before a take: it was cache in use."""
LASTING_FACTOR = 1.4
"""Or so many times as much for some seconds, of a guest that missed some before."""
LASTING_S = 4.0
"""Time constant of that."""
OFFER_RATIO = 0.1
"""Of max: so much more is offered, by more than the unevenness of surplus that is let be."""
OFFER_BYTES_MIN = 32 * MIB
OFFER_S = 60.0
"""So long an offer waits to be granted, and then to be filled; and the least between two."""
OFFER_S_MAX = 3600.0
SHOWN_S = 20.0
"""So long after it came, what it saves shows."""
SAVED_RATIO = 0.1
"""Of what was read: so much less, and the offer was worth it."""


def judge_cache(r: Round, i: int, distressed: bool) -> None:
    """Learn from a new sample, each once, when it is known whether the guest is calm or short."""
    memory = r.memory
    if memory.sample_seen_s[i] != r.now_s:
        return
    rate = _read_rate(r, i)
    if rate < 0.0:
        return  # as of a fleet's guests: nobody knows
    _follow(r, i, rate)
    if not distressed:
        _judge_takes(r, i, rate)
        _judge_offers(r, i)


def _read_rate(r: Round, i: int) -> float:
    """Bytes of its files that it missed, or read, in a second; below 0: not known."""
    memory = r.memory
    if memory.refault_rate[i] >= 0.0:
        return memory.refault_rate[i] * PAGE_BYTES
    if memory.disk_read_rate[i] < 0.0 or memory.swap_in_rate[i] < 0.0:
        return float(ABSENT)
    return max(0.0, memory.disk_read_rate[i] - memory.swap_in_rate[i])


def _follow(r: Round, i: int, rate: float) -> None:
    memory = r.memory
    before = memory.missed_rate[i]
    if before < 0.0:
        memory.missed_rate[i] = rate
    else:
        kept = LASTING_S / (LASTING_S + memory.sample_period_s[i])
        memory.missed_rate[i] = rate + (before - rate) * kept


def _judge_takes(r: Round, i: int, rate: float) -> None:
    """A cache that is missed is no distress, but no more of it is taken then."""
    memory = r.memory
    taken = memory.take_from_bytes[i] != ABSENT and r.now_s - memory.take_s[i] < BLAMED_S
    if not taken or r.now_s < memory.backoff_until_s[i]:
        return
    before = max(0.0, memory.take_missed_rate[i])
    at_once = rate >= max(MISSED_RATE_MIN, MISSED_FACTOR * before)
    lasting = memory.missed_rate[i] >= max(MISSED_RATE_MIN, LASTING_FACTOR * before)
    if at_once or lasting:
        memory.cache_floor_bytes[i] = memory.take_from_bytes[i]
        wait_longer(r, i)


def cache_floor_bytes(r: Round, i: int) -> int:
    """What it needs for the cache that was missed, as far as it still has it; 0: none was."""
    memory = r.memory
    floor = memory.cache_floor_bytes[i]
    if r.knobs.backs_off == 0 or floor == ABSENT or r.now_s >= memory.backoff_until_s[i]:
        return 0
    return min(floor, _with_its_cache_bytes(r, i))


def _with_its_cache_bytes(r: Round, i: int) -> int:
    """What it uses, the cache it has, and a headroom; 0: not known."""
    memory = r.memory
    if ABSENT in (memory.used_bytes[i], memory.cache_bytes[i]):
        return 0
    headroom = headroom_bytes(r.figures.max_bytes[i], r.knobs)
    return memory.used_bytes[i] + memory.cache_bytes[i] + headroom


def _judge_offers(r: Round, i: int) -> None:
    """Begin an offer where more cache might save reads; end one when that shows."""
    memory = r.memory
    if memory.offer_from_bytes[i] == ABSENT:
        if _is_worth_an_offer(r, i):
            memory.offer_from_bytes[i] = r.estimates.ordered_bytes[i]
            memory.offer_missed_rate[i] = memory.missed_rate[i]
            memory.offer_s[i] = r.now_s
        return
    had = r.estimates.ordered_bytes[i] - memory.offer_from_bytes[i]
    is_granted = had >= _offer_bytes(r, i) // 2 and memory.has_arrived[i] == 1
    since_s = r.now_s - max(memory.offer_s[i], memory.gave_s[i])
    if had < 0 or (not is_granted and since_s > OFFER_S):
        # Others needed it, or there was nothing: that says nothing of what it is worth.
        _end_offer(r, i, max(OFFER_S, memory.offer_wait_s[i]))
    elif is_granted and since_s >= SHOWN_S and (_is_full(r, i) or since_s > OFFER_S):
        saved = memory.missed_rate[i] <= (1.0 - SAVED_RATIO) * memory.offer_missed_rate[i]
        if saved:
            memory.cache_worth_bytes[i] = r.estimates.ordered_bytes[i]
        _end_offer(r, i, 0.0 if saved else max(OFFER_S, 2.0 * memory.offer_wait_s[i]))


def _end_offer(r: Round, i: int, wait_s: float) -> None:
    r.memory.offer_from_bytes[i] = ABSENT
    r.memory.offer_s[i] = r.now_s
    r.memory.offer_wait_s[i] = min(wait_s, OFFER_S_MAX)


def _is_worth_an_offer(r: Round, i: int) -> bool:
    """Whether it reads files, has nothing free to keep them in, and nothing else goes on in it."""
    memory, out = r.memory, r.estimates
    if r.knobs.offers == 0:
        return False
    if memory.missed_rate[i] < MISSED_RATE_MIN or out.is_calm[i] == 0 or out.is_usable[i] == 0:
        return False
    is_at_rest = r.now_s - memory.take_s[i] >= BLAMED_S and not is_squeezed(memory, i)
    waited = r.now_s - memory.offer_s[i] >= memory.offer_wait_s[i]
    has_room = out.ordered_bytes[i] < r.figures.max_bytes[i]
    return is_at_rest and waited and has_room and _is_full(r, i)


def _is_full(r: Round, i: int) -> bool:
    headroom = headroom_bytes(r.figures.max_bytes[i], r.knobs)
    return free_after_orders(r.figures, r.memory, i) < headroom // 2


def _offer_bytes(r: Round, i: int) -> int:
    return max(OFFER_BYTES_MIN, int(OFFER_RATIO * r.figures.max_bytes[i]))


def is_offered(r: Round, i: int) -> bool:
    """Whether it is being found out what more cache would save it."""
    return r.memory.offer_from_bytes[i] != ABSENT


def cache_comfort_bytes(r: Round, i: int) -> int:
    """What its cache is worth, and what is offered to find out more: of what nobody needs; 0: none.

    Proven worth counts as far as the cache is still there.
    """
    memory = r.memory
    offered = memory.offer_from_bytes[i] + _offer_bytes(r, i) if is_offered(r, i) else 0
    if memory.cache_worth_bytes[i] == ABSENT:
        return offered
    return max(offered, min(memory.cache_worth_bytes[i], _with_its_cache_bytes(r, i)))
