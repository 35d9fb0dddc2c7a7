"""A guest that can have nothing new to say is not read, and is in the round all the same."""

import asyncio

from aerostat.model.guest import GuestId, GuestSnapshot, RunState
from aerostat.sim.virtual_time import run_simulated
from aerostat.units import MIB
from control.rig import NAMES, Rig, balancing, new_rig

AT_REST = GuestSnapshot(
    guest=GuestId("g1"),
    name="g1",
    run_state=RunState.RUNNING,
    max_bytes=512 * MIB,
    actual_bytes=300 * MIB,
    has_balloon=True,
)


def reads_of(rig: Rig) -> list[GuestId]:
    """From now on, who is read."""
    read, seen = rig.driver.read_guest, list[GuestId]()

    async def noted(guest: GuestId) -> GuestSnapshot:
        seen.append(guest)
        return await read(guest)

    rig.driver.read_guest = noted  # type: ignore[method-assign]
    return seen


def test_a_guest_at_rest_is_in_its_place_and_is_not_read() -> None:
    async def play() -> None:
        rig = new_rig()
        known = {"g1": AT_REST}
        rig.driver.unchanged = known.get  # type: ignore[assignment,method-assign]
        async with balancing(rig):
            seen = reads_of(rig)
            await asyncio.sleep(3.0)
            assert set(seen) == {"g0", "g2"}
            snapshot = rig.rounds.records[-1].snapshot
            assert [guest.guest for guest in snapshot.guests] == list(NAMES)
            assert snapshot.guests[1] is AT_REST
            known.clear()
            await asyncio.sleep(1.0)
            assert "g1" in seen
            assert rig.rounds.records[-1].snapshot.guests[1] != AT_REST

    run_simulated(play())


def test_a_surprise_about_one_at_rest_does_not_end_the_round() -> None:
    async def play() -> None:
        def fails(_guest: GuestId) -> GuestSnapshot | None:
            raise LookupError("nobody expected that")

        rig = new_rig()
        rig.driver.unchanged = fails  # type: ignore[assignment,method-assign]
        async with balancing(rig):
            await asyncio.sleep(2.0)
            states = [g.run_state for g in rig.rounds.records[-1].snapshot.guests]
            assert states == [RunState.RUNNING] * len(NAMES)

    run_simulated(play())
