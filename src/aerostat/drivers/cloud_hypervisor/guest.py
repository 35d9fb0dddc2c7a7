"""One VM of Cloud Hypervisor: who it is, what it says, and how its target is set."""

from pathlib import Path

from aerostat.drivers.agent import seen_from_here
from aerostat.drivers.cloud_hypervisor.answers import (
    VmInfo,
    no_report,
    parse_balloon_stats,
    parse_info,
)
from aerostat.drivers.http_api.guest import ApiGuest, NoVmError, Tell
from aerostat.drivers.http_api.session import ApiRefusedError, ApiSession
from aerostat.drivers.report import SampleAge
from aerostat.drivers.sockets.errors import AnswerViolationError, RefusedError, ViolationError
from aerostat.drivers.sockets.guest import Identity, Reading
from aerostat.drivers.sockets.settings import SocketSettings
from aerostat.model.figures import BalloonStatistics
from aerostat.model.guest import GuestId, RunState
from aerostat.ports.clock import Clock
from aerostat.units import PAGE_BYTES

_NO_STATISTICS = (
    "this Cloud Hypervisor has no vm.balloon-stats (it came after v53.0): its guest's figures are "
    "not known, so nothing is taken from it"
)


class CloudHypervisorGuest(ApiGuest):
    """A VM whose API answers."""

    _has_statistics = True  # until it says that it knows no such thing
    _age: SampleAge

    @classmethod
    async def identify(
        cls,
        session: ApiSession,
        *,
        label: str,
        settings: SocketSettings,
        clock: Clock,
        tell: Tell,
    ) -> "CloudHypervisorGuest":
        """Ask a VM who it is: by its UUID if it was given one, else by its socket's name.

        Raises:
            NoVmError: none has been booted.
            SessionError, AnswerViolationError: the API did not answer, or with something else.
        """
        info = await _info(session, deadline_s=settings.command_deadline_s)
        identity = Identity(guest=GuestId(info.uuid or label), name=label, pid=session.pid)
        guest = cls(session, identity, settings=settings, clock=clock, tell=tell)
        guest.max_bytes = info.max_bytes
        guest._age = SampleAge()
        if info.vsock is not None:
            guest.vsock = seen_from_here(Path(info.vsock), session.pid)
        return guest

    async def look(self) -> Reading:
        """Ask for one round's figures; see the base."""
        troubles: list[str] = []
        try:
            info = await _info(self.session, deadline_s=self.settings.command_deadline_s)
        except AnswerViolationError as error:
            raise ViolationError(str(error)) from error
        self.max_bytes = max(info.max_bytes, info.actual_bytes or 0)
        has_balloon = info.balloon is not None
        return Reading(
            run_state=info.run_state or RunState.UNKNOWN,
            actual_bytes=info.actual_bytes if has_balloon else None,
            has_balloon=has_balloon,
            deflates_on_oom=None if info.balloon is None else info.balloon.deflates_on_oom,
            statistics=await self._statistics(troubles) if has_balloon else None,
            troubles=tuple(troubles),
        )

    async def probe(self) -> None:
        """Ask one thing and wait; see the base."""
        await self.session.get("/vmm.ping", deadline_s=None)

    async def set_target(self, target_bytes: int) -> None:
        """Send a target: the API takes the balloon's size, in bytes."""
        assert self.max_bytes is not None, "known since it was met"
        balloon_bytes = (self.max_bytes - target_bytes) // PAGE_BYTES * PAGE_BYTES
        body = {"desired_balloon": balloon_bytes}
        deadline_s = self.settings.command_deadline_s
        await self.session.send("PUT", "/vm.resize", body, deadline_s=deadline_s)

    async def release(self) -> None:
        """Nothing was changed in it."""

    async def _statistics(self, troubles: list[str]) -> BalloonStatistics | None:
        if not self._has_statistics:
            troubles.append(_NO_STATISTICS)
            return None
        deadline_s = self.settings.command_deadline_s
        try:
            answer = await self.session.get("/vm.balloon-stats", deadline_s=deadline_s)
        except ApiRefusedError as error:
            if error.status == 404:
                self._has_statistics = False
                troubles.append(_NO_STATISTICS)
                return None
            report = no_report()  # the guest's driver is not there, or did not agree to report
        else:
            try:
                report = parse_balloon_stats(answer, max_bytes=self.max_bytes)
            except AnswerViolationError as error:
                troubles.append(str(error))
                return None
        now_s, wall_s = self.clock.now_s(), self.clock.wall_s()
        return report.aged(self._age.age_s(report.updated_wall_s, now_s=now_s, wall_s=wall_s))


async def _info(session: ApiSession, *, deadline_s: float) -> VmInfo:
    try:
        info = parse_info(await session.get("/vm.info", deadline_s=deadline_s))
    except ApiRefusedError as error:
        if _means_no_vm(error):
            raise NoVmError("Cloud Hypervisor runs here and has no VM") from error
        raise
    if info.run_state is None:
        raise NoVmError("its VM is configured, and does not run")
    return info


def _means_no_vm(error: RefusedError) -> bool:
    # The document promises 404; versions in the field answer 500, and say so in words.
    if not isinstance(error, ApiRefusedError):
        return False
    return error.status == 404 or (error.status == 500 and "not created" in error.text.lower())
