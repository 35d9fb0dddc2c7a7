"""Water-filling: shares by weight, within caps, never more than the supply."""

from hypothesis import given
from hypothesis import strategies as st

from aerostat.policy.water import drain, fill

GUESTS = st.lists(
    st.tuples(st.integers(0, 2**40), st.integers(0, 2**40), st.integers(1, 10_000)),
    min_size=1,
    max_size=12,
)


def test_an_even_supply_is_split_evenly() -> None:
    held = [0, 0, 0]
    left = fill(held, [1000, 1000, 1000], [100, 100, 100], 0, len(held), 900)
    assert held == [300, 300, 300]
    assert left == 0


def test_what_one_cannot_take_goes_to_the_others() -> None:
    held = [0, 0]
    fill(held, [100, 10_000], [1, 1], 0, len(held), 1000)
    assert held == [100, 900]


def test_weight_decides_the_share() -> None:
    held = [0, 0]
    fill(held, [10_000, 10_000], [300, 100], 0, len(held), 4000)
    assert held == [3000, 1000]


def test_nobody_is_lowered_when_the_supply_is_already_exceeded() -> None:
    held = [500, 700]
    left = fill(held, [600, 800], [1, 1], 0, len(held), 1000)
    assert held == [500, 700]
    assert left == -200


@given(GUESTS, st.integers(0, 2**42))
def test_fill_keeps_its_bounds(guests: list[tuple[int, int, int]], supply: int) -> None:
    before = [held for held, _, _ in guests]
    held = list(before)
    caps = [cap for _, cap, _ in guests]
    left = fill(held, caps, [weight for _, _, weight in guests], 0, len(held), supply)
    assert left == supply - sum(held)
    assert sum(held) <= max(supply, sum(before))
    for old, new, cap in zip(before, held, caps, strict=True):
        assert old <= new <= max(old, cap)


@given(GUESTS, st.integers(0, 2**42), st.randoms(use_true_random=False))
def test_permuting_guests_permutes_shares(
    guests: list[tuple[int, int, int]], supply: int, random: object
) -> None:
    order = list(range(len(guests)))
    random.shuffle(order)  # type: ignore[attr-defined] # hypothesis hands out a random.Random

    def shares(rows: list[tuple[int, int, int]]) -> list[int]:
        held = [row[0] for row in rows]
        fill(held, [row[1] for row in rows], [row[2] for row in rows], 0, len(held), supply)
        return held

    plain = shares(guests)
    assert shares([guests[i] for i in order]) == [plain[i] for i in order]


@given(GUESTS, st.integers(0, 2**42))
def test_drain_takes_what_is_asked_and_no_more_than_there_is(
    guests: list[tuple[int, int, int]], amount: int
) -> None:
    excess = [held for held, _, _ in guests]
    weight = [w for _, _, w in guests]
    taken = [0] * len(excess)
    drain(excess, weight, taken, 0, len(excess), amount)
    assert all(0 <= got <= had for got, had in zip(taken, excess, strict=True))
    assert sum(taken) >= min(amount, sum(excess))
    # Rounding: one level step of every guest's weight, at the most.
    assert sum(taken) <= max(amount, 0) + sum(w // 1024 + 1 for w in weight)
