"""What is done for each domain now and then: describe it, make it report, look at its jobs."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from aerostat.drivers.agent import AgentLink
from aerostat.drivers.libvirt.agent import read_pressure
from aerostat.drivers.libvirt.answers import parse_job
from aerostat.drivers.libvirt.binding import Binding
from aerostat.drivers.libvirt.description import DescriptionError, parse_description
from aerostat.drivers.libvirt.domain import Domain
from aerostat.drivers.libvirt.errors import LibvirtCallError
from aerostat.drivers.libvirt.lanes import Lanes
from aerostat.drivers.libvirt.settings import LibvirtSettings
from aerostat.ports.clock import Clock
from aerostat.ports.driver import EventSink

ResultT = TypeVar("ResultT")


class Upkeep:
    """Calls on single domains; one that libvirt already waits for is asked nothing that waits."""

    def __init__(
        self,
        binding: Binding,
        lanes: Lanes,
        *,
        settings: LibvirtSettings,
        clock: Clock,
        tell: EventSink,
    ) -> None:
        self._binding = binding
        self._lanes = lanes
        self._settings = settings
        self._clock = clock
        self._tell = tell

    async def look_after(self, domain: Domain) -> None:
        """Do what is due; a call that does not end well is made again the next time."""
        try:
            if not domain.is_described:
                await self._describe(domain)
            if domain.silence_s(self._clock.now_s()) > self._settings.silent_s:
                domain.waiting_s = await self._call(
                    lambda c: self._binding.waiting_for_s(c, domain.guest)
                )
                return
            job = await self._call(lambda c: self._binding.job_of(c, domain.guest))
            domain.job = parse_job(job)
            if self._settings.arm_statistics and not domain.is_period_armed:
                await self._arm(domain)
            await self._read_agent(domain)
        except LibvirtCallError as error:
            if domain.description is None:
                domain.described_trouble = str(error)

    async def put_back(self, domain: Domain) -> None:
        """Put back a period that somebody else had set; off stays on, which is harmless."""
        period_s = domain.period_before_s
        if period_s is not None and domain.silence_s(self._clock.now_s()) < self._settings.silent_s:
            await self._call(lambda c: self._binding.set_period(c, domain.guest, period_s))

    async def _describe(self, domain: Domain) -> None:
        xml = await self._call(lambda c: self._binding.describe(c, domain.guest))
        try:
            domain.description = parse_description(xml)
            domain.is_described = True
            self._listen(domain, domain.description.agent_socket)
        except DescriptionError as error:
            domain.described_trouble = str(error)

    def _listen(self, domain: Domain, path: Path | None) -> None:
        """Hear the agent in it; nothing is asked of the guest for that, nor of libvirt."""
        if path == (None if domain.link is None else domain.link.path):
            return
        link = None
        if path is not None:
            link = AgentLink(path, domain.guest, clock=self._clock, tell=self._tell)
        domain.listen_to(link)

    async def _arm(self, domain: Domain) -> None:
        description = domain.description
        if description is None or not description.has_balloon:
            return
        wanted_s, found_s = self._settings.statistics_period_s, description.period_s
        if not 0 < found_s <= wanted_s:
            await self._call(lambda c: self._binding.set_period(c, domain.guest, wanted_s))
            domain.period_before_s = found_s if found_s > wanted_s else None
        domain.is_period_armed = True

    async def _read_agent(self, domain: Domain) -> None:
        period_s, description = self._settings.agent_period_s, domain.description
        if period_s is None or description is None or not description.has_agent:
            domain.pressure = None
            return
        if not domain.agent.is_due(self._clock.now_s(), period_s=period_s):
            return
        try:
            domain.pressure = await self._call(
                lambda c: read_pressure(
                    lambda text: self._binding.ask_agent(c, domain.guest, text, 1),
                    wall_s=self._clock.wall_s,
                )
            )
            domain.agent.answered()
        except LibvirtCallError as error:
            domain.pressure = None
            domain.agent.failed(str(error), self._clock.now_s())

    async def _call(self, work: Callable[[Any], ResultT]) -> ResultT:
        return await self._lanes.call(work, deadline_s=self._settings.command_deadline_s)
