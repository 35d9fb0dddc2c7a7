"""What operators order reaches the guests in the next round, is kept, and ends when it should."""

import asyncio

from aerostat.control.orders import RECLAIM, Ask, Limits, OrderBook
from aerostat.model.events import Command, MemoryReserved, OperatorCommanded, TargetReplaced
from aerostat.model.guest import GuestId
from aerostat.model.limits import Amount
from aerostat.model.orders import Standing
from aerostat.model.reasons import Reason
from aerostat.sim.virtual_time import run_simulated
from aerostat.units import MIB
from control.rig import TIGHT, Rig, balancing, new_rig

G0 = GuestId("g0")


def asked(command: Command, **more: object) -> Ask:
    return Ask(command=command, who="a test", guest=G0, words=command.value, **more)  # type: ignore[arg-type] # real fields


def test_a_released_guest_has_its_max_soon_and_until_it_is_unheld() -> None:
    async def main() -> Rig:
        async with balancing(new_rig()) as rig:
            await rig.until_squeezed()
            rig.loop.take(asked(Command.RELEASE))
            # All but what is kept back for guests in distress.
            took_s = await rig.until(lambda: rig.world.guest("g0").target_bytes >= 500 * MIB)
            assert took_s < 15
            await asyncio.sleep(30)
            assert rig.world.guest("g0").target_bytes >= 500 * MIB
            rig.loop.take(asked(Command.UNHOLD))
            await rig.until(lambda: rig.world.guest("g0").target_bytes < 450 * MIB)
            assert rig.status.orders == OrderBook()
        return rig

    rig = run_simulated(main())
    reasons = {t.reason for r in rig.rounds.records for t in r.trace.guests if t.guest == G0}
    assert Reason.RELEASED_BY_OPERATOR in reasons


def test_a_hold_runs_out_by_itself() -> None:
    async def main() -> Rig:
        async with balancing(new_rig()) as rig:
            rig.loop.take(asked(Command.HOLD, for_s=20.0))
            await asyncio.sleep(15)
            assert rig.world.guest("g0").target_bytes == 512 * MIB
            await rig.until(lambda: rig.world.guest("g0").target_bytes < 450 * MIB)
            assert rig.status.orders == OrderBook()
        return rig

    rig = run_simulated(main())
    held = [r for r in rig.rounds.records if r.params is not None and r.params.orders]
    assert held[-1].snapshot.now_s - held[0].snapshot.now_s <= 20.0


def test_every_command_is_an_event_of_the_round_that_heeds_it() -> None:
    async def main() -> Rig:
        async with balancing(new_rig()) as rig:
            await asyncio.sleep(5)
            rig.loop.take(asked(Command.SET, limits=Limits(minimum=Amount(size_bytes=400 * MIB))))
            reclaim = Ask(command=Command.RECLAIM, who="b", size_bytes=MIB, for_s=60.0, words="r")
            rig.loop.take(reclaim)
            await asyncio.sleep(2)
        return rig

    rig = run_simulated(main())
    (heeding,) = [
        r for r in rig.rounds.records if any(isinstance(e, OperatorCommanded) for e in r.events)
    ]
    told = [e for e in heeding.events if not hasattr(e, "outcome")]
    assert told == [
        OperatorCommanded(guest=G0, command=Command.SET, who="a test", detail="set"),
        MemoryReserved(guest=RECLAIM, size_bytes=MIB, for_s=60.0),
        OperatorCommanded(guest=RECLAIM, command=Command.RECLAIM, who="b", detail="r"),
    ]
    assert heeding.params is not None
    assert heeding.params.orders[G0].minimum == Amount(size_bytes=400 * MIB)
    (trace,) = [t for t in heeding.trace.guests if t.guest == G0]
    assert trace.min_bytes == 400 * MIB
    assert heeding.trace.host.reserved_bytes == MIB


def test_orders_stand_when_the_configuration_is_replaced() -> None:
    async def main() -> None:
        async with balancing(new_rig()) as rig:
            rig.loop.take(asked(Command.HOLD))
            rig.loop.replace_params(TIGHT)
            await asyncio.sleep(2)
            last = rig.rounds.records[-1]
            assert last.params is not None
            assert last.params.orders[G0].standing is Standing.HELD

    run_simulated(main())


def test_limits_are_given_back_to_the_configuration_one_by_one() -> None:
    book = OrderBook().after(
        asked(Command.SET, limits=Limits(minimum=Amount(size_bytes=1), weight=7)), now_s=0.0
    )
    book = book.after(asked(Command.HOLD, for_s=5.0), now_s=0.0)
    book = book.after(asked(Command.SET, limits=Limits(reset=frozenset({"min"}))), now_s=1.0)
    (ordered,) = book.standing.values()
    assert (ordered.order.minimum, ordered.order.weight) == (None, 7)
    assert ordered.order.standing is Standing.HELD
    assert book.at(4.9) is book
    (ordered,) = book.at(5.0).standing.values()
    assert (ordered.order.weight, ordered.order.standing, ordered.until_s) == (7, None, None)
    reset = Limits(reset=frozenset({"weight"}))
    assert book.at(5.0).after(asked(Command.SET, limits=reset), now_s=6.0) == OrderBook()


def test_a_target_that_somebody_else_set_is_an_event_of_the_next_round() -> None:
    async def main() -> Rig:
        async with balancing(new_rig()) as rig:
            await rig.until_squeezed()
            await asyncio.sleep(20)
            target_bytes = rig.world.guest("g0").target_bytes - 40 * MIB
            rig.world.guest("g0").set_target(target_bytes)
            await asyncio.sleep(30)
        return rig

    rig = run_simulated(main())
    told = [e for r in rig.rounds.records for e in r.events if isinstance(e, TargetReplaced)]
    assert [event.guest for event in told] == [G0]
    assert rig.world.guest("g0").target_bytes == told[0].held_bytes - 40 * MIB
