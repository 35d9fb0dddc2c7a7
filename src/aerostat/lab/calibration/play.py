"""Plays a probe on a guest, real or simulated: the same code for both."""

import asyncio

from aerostat.lab.calibration.probe import GUEST, Act, Probe, ProbeRecord
from aerostat.lab.experiment.real_fleet import OnProgress, RealFleet
from aerostat.lab.experiment.simulated_fleet import SimulatedFleet
from aerostat.lab.recording import WorkloadSample
from aerostat.model.guest import GuestId, RunState
from aerostat.ports.clock import Clock
from aerostat.ports.driver import HypervisorDriver
from aerostat.ports.errors import AerostatError
from aerostat.sim.calibration import Constants
from aerostat.sim.virtual_time import run_simulated
from aerostat.units import MIB

_FAST_S = 0.02
"""How often ``actual`` is read while a balloon may be moving ..."""
_FAST_FOR_S = 1.5
_SLOW_S = 0.2
"""... and otherwise."""


class ProbeError(AerostatError):
    """A guest could not be probed."""


def play_simulated(probe: Probe, constants: Constants) -> ProbeRecord:
    """Play a probe on a simulated guest of these constants, on virtual time."""

    async def main() -> ProbeRecord:
        async with SimulatedFleet(probe.schedule(), constants) as fleet:
            return await _play(probe, fleet, fleet.new_driver())

    return run_simulated(main())


async def play_real(probe: Probe, on_progress: OnProgress) -> tuple[ProbeRecord, RealFleet]:
    """Boot a real guest and play a probe on it; returns the fleet for what it ran on.

    Raises:
        AerostatError: no guest can be had, or it died; the message says what to do.
    """
    async with RealFleet(probe.schedule(), on_progress) as fleet:
        on_progress(f"{probe.name} ({probe.duration_s:.0f} s): {probe.words}")
        driver = fleet.new_driver()
        record = await _play(probe, fleet, driver)
        if (trouble := fleet.trouble(GUEST)) is not None:
            raise ProbeError(f"probe {probe.name} is void: {trouble}")
        return record, fleet


async def _play(
    probe: Probe, fleet: RealFleet | SimulatedFleet, driver: HypervisorDriver
) -> ProbeRecord:
    await driver.open(lambda _event: None)
    try:
        guest = await _found(driver)
        player = _Player(probe, fleet, driver, guest)
        await player.run()
        return player.record()
    finally:
        await driver.close()


async def _found(driver: HypervisorDriver) -> GuestId:
    for _ in range(100):
        guests = await driver.list_guests()
        if guests and (await driver.read_guest(guests[0])).run_state is RunState.RUNNING:
            return guests[0]
        await asyncio.sleep(0.05)
    raise ProbeError("the guest's monitor was not found within 5 s")


class _Player:
    def __init__(
        self,
        probe: Probe,
        fleet: RealFleet | SimulatedFleet,
        driver: HypervisorDriver,
        guest: GuestId,
    ) -> None:
        self._probe = probe
        self._fleet = fleet
        self._driver = driver
        self._guest = guest
        self._clock: Clock = fleet.clock
        self._actual: list[tuple[float, int]] = []
        self._samples: list[tuple[float, WorkloadSample]] = []
        self._waited: list[tuple[float, float]] = []

    async def run(self) -> None:
        while self._fleet.next_sample(GUEST) is not None:
            pass
        began_s = self._clock.now_s()
        waiting = list(self._probe.acts)
        fast_until_s = 0.0
        while (now_s := self._clock.now_s() - began_s) < self._probe.duration_s:
            while waiting and waiting[0].at_s <= now_s:
                act = waiting.pop(0)
                await self._do(act)
                if act.target_mib is not None:
                    fast_until_s = now_s + _FAST_FOR_S
            await self._look(began_s)
            await asyncio.sleep(_FAST_S if now_s < fast_until_s else _SLOW_S)

    def record(self) -> ProbeRecord:
        return ProbeRecord(
            probe=self._probe,
            actual=tuple(self._actual),
            samples=tuple(self._samples),
            waited=tuple(self._waited),
        )

    async def _do(self, act: Act) -> None:
        for what, value in act.orders.items():
            self._fleet.order(GUEST, what, value)
        if act.target_mib is not None:
            await self._driver.set_target(self._guest, target_bytes=act.target_mib * MIB)

    async def _look(self, began_s: float) -> None:
        snapshot = await self._driver.read_guest(self._guest)
        now_s = self._clock.now_s() - began_s
        if snapshot.actual_bytes is not None:
            self._actual.append((now_s, snapshot.actual_bytes))
        while (sample := self._fleet.next_sample(GUEST)) is not None:
            self._samples.append((now_s, sample))
            if (waited_s := self._fleet.waited_s()) is not None:
                self._waited.append((now_s, waited_s))
