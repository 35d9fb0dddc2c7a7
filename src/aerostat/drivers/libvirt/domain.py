"""One running domain: what was read of it last, and what is being done with it."""

from dataclasses import dataclass, field, replace

from aerostat.drivers.agent import AgentLink, HeardFigures
from aerostat.drivers.libvirt.agent import AgentCalls
from aerostat.drivers.libvirt.answers import Balloon, Job, parse_balloon, parse_state
from aerostat.drivers.libvirt.binding import RawDomain
from aerostat.drivers.libvirt.description import Description
from aerostat.drivers.report import GuestReport, SampleAge
from aerostat.model.figures import BalloonStatistics, GuestPressure
from aerostat.model.guest import GuestId, RunState


@dataclass(slots=True, kw_only=True)
class Domain:
    """A domain from its start to its end; one that is started anew is another."""

    guest: GuestId  # its UUID
    number: int  # libvirt's, of this start
    name: str
    since_s: float
    pid: int | None = None  # None: not visible from here
    description: Description | None = None  # None: not described yet
    is_described: bool = False  # False: it has changed since, or may have
    described_trouble: str | None = None
    job: Job = Job.NONE
    told_s: float | None = None  # when libvirt last could ask its QEMU
    waiting_s: float | None = None  # for how long libvirt has waited for its QEMU, as it says
    is_commanded: bool = False  # a target is under way
    period_before_s: int | None = None  # what we replaced and have to put back
    is_period_armed: bool = False
    pressure: GuestPressure | None = None
    disk_read_bytes: int | None = None  # counter, as of its guest's last report but one
    is_disk_read_due: bool = False  # its guest has reported since
    agent: AgentCalls = field(default_factory=AgentCalls)
    link: AgentLink | None = None  # to Aerostat's own agent, where the domain has a channel for it
    _raw: RawDomain | None = None
    _begun_s: float = 0.0
    _report_begun_s: float = 0.0
    _balloon: Balloon | None = None
    _report: GuestReport | None = None
    _age: SampleAge = field(default_factory=SampleAge)

    @property
    def run_state(self) -> RunState:
        """What it does, by what was read last."""
        assert self._raw is not None
        return parse_state(self._raw.fields, self.job)

    @property
    def actual_bytes(self) -> int | None:
        """What it holds; libvirt hears of every change from QEMU."""
        return None if self._balloon is None else self._balloon.actual_bytes

    @property
    def max_bytes(self) -> int | None:
        """RAM it may have, memory plugged in included."""
        return None if self._balloon is None else self._balloon.max_bytes

    def take(self, raw: RawDomain, *, begun_s: float, now_s: float) -> None:
        """Take in what a call brought that began at ``begun_s``; late ones bring less."""
        balloon = parse_balloon(raw.fields)
        if self._raw is None or begun_s >= self._begun_s:
            self._raw, self._begun_s, self.name = raw, begun_s, raw.name
            self._balloon = balloon
        # Where calls overlap, the later one skips whom the earlier one is just asking.
        if balloon.report is not None and begun_s >= self._report_begun_s:
            before = None if self._report is None else self._report.updated_wall_s
            self.is_disk_read_due |= balloon.report.updated_wall_s != before
            self._report, self._report_begun_s = balloon.report, begun_s
            self.told_s, self.waiting_s = now_s, None

    def statistics(self, *, now_s: float, wall_s: float) -> BalloonStatistics | None:
        """The guest's last report and its age by now."""
        if self._report is None or self.description is None or not self.description.has_balloon:
            return None
        age_s = self._age.age_s(self._report.updated_wall_s, now_s=now_s, wall_s=wall_s)
        return self._report.aged(age_s)

    def pressure_aged(self, wall_s: float) -> GuestPressure | None:
        """What its agent said last, and how old that is by now."""
        if self.pressure is None:
            return None
        return replace(self.pressure, age_s=max(0.0, wall_s - self.pressure.sampled_wall_s))

    def figures(self, *, now_s: float, wall_s: float) -> HeardFigures:
        """What its balloon driver and its agents say; our own agent before QEMU's."""
        statistics = self.statistics(now_s=now_s, wall_s=wall_s)
        heard = HeardFigures(statistics=statistics)
        if self.link is not None:
            heard = self.link.heard.beside(statistics, max_bytes=self.max_bytes)
        if heard.pressure is None:
            heard = replace(heard, pressure=self.pressure_aged(wall_s))
        return heard

    def listen_to(self, link: AgentLink | None) -> None:
        """Hear another agent, or none, from now on."""
        if self.link is not None:
            self.link.close()
        self.link = link

    @property
    def is_in_transit(self) -> bool:
        """Whether it is being migrated or saved; libvirt knows, though its QEMU may be silent."""
        return self.run_state is RunState.MIGRATING

    @property
    def is_backing_up(self) -> bool:
        """Whether its disks are being copied."""
        return self.job is Job.BACKUP

    def silence_s(self, now_s: float) -> float:
        """For how long libvirt could not ask its QEMU."""
        return now_s - (self.since_s if self.told_s is None else self.told_s)
