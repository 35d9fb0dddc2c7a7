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
from aerostat.drivers.report import GuestReport, SampleAge
from aerostat.drivers.sockets.errors import (
    AnswerViolationError,
    NoAnswerError,
    RefusedError,
    ViolationError,
)
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
STATISTICS_GAP_S = 0.9
"""Asked for once a second, which is two rounds that do not fall on the same instant of each."""
STATISTICS_S = 0.25
"""A guest that does not answer must not make its VM late for the round."""


class CloudHypervisorGuest(ApiGuest):
    """A VM whose API answers."""

    _has_statistics = True  # until it says that it knows no such thing
    _report: GuestReport | None = None  # the last, fresh or not; None: nothing has come yet
    _asked_s = float("-inf")
    _statistics_troubles: tuple[str, ...] = ()
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
            standing_target_bytes=info.target_bytes,
            reports_free_pages=None if info.balloon is None else info.balloon.reports_free_pages,
            statistics=await self._statistics(info.run_state, troubles) if has_balloon else None,
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

    async def _statistics(
        self, run_state: RunState | None, troubles: list[str]
    ) -> BalloonStatistics | None:
        """The last sample: asked for once a second, and kept, growing old, where none comes."""
        now_s = self.clock.now_s()
        is_due = now_s - self._asked_s >= STATISTICS_GAP_S
        # The guest of a VM that is paused cannot answer.
        is_asked = self._has_statistics and is_due and run_state is not RunState.PAUSED
        if is_asked or (self._report is None and self._has_statistics):
            self._asked_s = now_s
            await self._ask_statistics()
        troubles.extend(self._statistics_troubles)
        if self._report is None:
            return None
        now_s, wall_s = self.clock.now_s(), self.clock.wall_s()
        age_s = self._age.age_s(self._report.updated_wall_s, now_s=now_s, wall_s=wall_s)
        return self._report.aged(age_s)

    async def _ask_statistics(self) -> None:
        """What comes takes the place of the last sample; an answer that is none does not.

        A driver without a sample is a fresh one, and its guest has been reset: that has to be said,
        not concluded from an error, which may mean anything.
        """
        try:
            answer = await self.session.get("/vm.balloon-stats", deadline_s=STATISTICS_S)
            self._report = parse_balloon_stats(answer, max_bytes=self.max_bytes)
        except ApiRefusedError as error:
            self._refused(error)
        except (NoAnswerError, AnswerViolationError, ViolationError) as error:
            self._statistics_troubles = (f"its guest's figures could not be read: {error}",)
        else:
            self._statistics_troubles = ()

    def _refused(self, error: ApiRefusedError) -> None:
        if error.status == 404:
            self._has_statistics, self._report = False, None
            self._statistics_troubles = (_NO_STATISTICS,)
        elif "not negotiated" in error.text.lower():
            self._report = no_report()  # its driver is not there, or did not agree to report
            self._statistics_troubles = ()
        else:
            self._statistics_troubles = (f"its guest's figures could not be read: {error}",)


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
