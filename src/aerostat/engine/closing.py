"""Shutting down: a guest that was asked to gets its memory back first, lent beyond the supply.

A guest ends sooner with an empty balloon, and then the host has all of its memory: so it need not
wait for others to give, where the host itself has the memory. What it is lent does not count
against the others; the loan ends with the guest, or with the time it has to obey.
"""

from aerostat.engine.columns import Round
from aerostat.policy.columns import ABSENT


def follow_shutdown(r: Round, i: int) -> None:
    """Judge whether guest ``i`` is shutting down, and how much of what it holds is lent."""
    memory = r.memory
    r.estimates.loan_bytes[i] = 0
    r.estimates.is_closing[i] = 0
    if r.now_s - memory.shutdown_asked_s[i] >= r.knobs.shutdown_s or r.knobs.protects == 0:
        if memory.lent_from_bytes[i] != ABSENT:  # as good as never: spare the two writes
            memory.lent_from_bytes[i] = ABSENT
            memory.lent_bytes[i] = 0
        return
    r.estimates.is_closing[i] = 1
    if memory.lent_from_bytes[i] == ABSENT:
        memory.lent_from_bytes[i] = r.estimates.committed_bytes[i]
    # A raise that was refused, or only recommended, was not lent.
    more = max(0, r.estimates.committed_bytes[i] - memory.lent_from_bytes[i])
    memory.lent_bytes[i] = min(memory.lent_bytes[i], more)


def lent_bytes(r: Round, first: int, end: int) -> int:
    """What is lent to guests of one host, by now."""
    lent = 0
    for i in range(first, end):
        lent += r.memory.lent_bytes[i]
    return lent


def lend(r: Round, first: int, end: int, amount: int) -> int:
    """Note that ``amount`` of this round's grants is a loan; returns how much of it there was."""
    left = amount
    for i in range(first, end):
        if r.estimates.is_closing[i] == 1:
            loan = min(left, r.grants[i])
            r.memory.lent_bytes[i] += loan
            r.estimates.loan_bytes[i] = loan
            left -= loan
    return amount - left
