"""One microVM of Firecracker: who it is, what it says, and how its target is set."""

from dataclasses import dataclass
from pathlib import Path

from aerostat.drivers.agent import seen_from_here
from aerostat.drivers.firecracker.answers import (
    Instance,
    parse_balloon_bytes,
    parse_features,
    parse_figures,
    parse_hinting,
    parse_instance,
    parse_machine,
    parse_target_bytes,
    parse_vsock,
)
from aerostat.drivers.firecracker.sample import ChangingSample
from aerostat.drivers.http_api.guest import ApiGuest, BalloonFeatures, NoVmError, Tell
from aerostat.drivers.http_api.session import ApiRefusedError, ApiSession
from aerostat.drivers.sockets.errors import AnswerViolationError, ViolationError
from aerostat.drivers.sockets.guest import Identity, Reading
from aerostat.drivers.sockets.settings import SocketSettings
from aerostat.model.figures import BalloonStatistics
from aerostat.model.guest import GuestId, Hinting, RunState
from aerostat.ports.clock import Clock
from aerostat.units import MIB

_STATISTICS = "/balloon/statistics"
_HINTING = "/balloon/hinting/status"
_HINTING_GAP_S = 0.9
_NO_STATISTICS = (
    "its statistics were off when it was started, and cannot be switched on now: nothing is taken "
    'from it; start it with "stats_polling_interval_s": 1 in its balloon'
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Balloon:
    """What the answer with the statistics has of the balloon itself, as the guest's memory."""

    actual_bytes: int | None = None
    target_bytes: int | None = None
    statistics: BalloonStatistics | None = None


class FirecrackerGuest(ApiGuest):
    """A microVM whose API answers."""

    def __init__(
        self,
        session: ApiSession,
        identity: Identity,
        *,
        settings: SocketSettings,
        clock: Clock,
        tell: Tell,
    ) -> None:
        super().__init__(session, identity, settings=settings, clock=clock, tell=tell)
        self.features: BalloonFeatures | None = None  # None: it has no balloon, for good
        self._sample = ChangingSample(clock)
        self._hinting_s = float("-inf")
        self._hinting_state: Hinting | None = None
        self._period_before_s: int | None = None

    @classmethod
    async def identify(
        cls,
        session: ApiSession,
        *,
        label: str,
        settings: SocketSettings,
        clock: Clock,
        tell: Tell,
    ) -> "FirecrackerGuest":
        """Ask a microVM who it is: by its ``--id``, else by its socket's name.

        Raises:
            NoVmError: none has been started.
            SessionError, AnswerViolationError: the API did not answer, or with something else.
        """
        instance = await _instance(session, deadline_s=settings.command_deadline_s)
        name = instance.id or label
        identity = Identity(guest=GuestId(name), name=name, pid=session.pid)
        guest = cls(session, identity, settings=settings, clock=clock, tell=tell)
        await guest._learn()
        return guest

    async def look(self) -> Reading:
        """Ask for one round's figures; see the base."""
        deadline_s = self.settings.command_deadline_s
        try:
            instance = await _instance(self.session, deadline_s=deadline_s)
            balloon = await self._balloon()
            hinting = await self._hinting()
        except AnswerViolationError as error:
            raise ViolationError(str(error)) from error
        is_silent = self.features is not None and self.features.statistics_period_s == 0
        return Reading(
            run_state=instance.run_state or RunState.UNKNOWN,
            actual_bytes=balloon.actual_bytes,
            has_balloon=self.features is not None,
            deflates_on_oom=None if self.features is None else self.features.deflates_on_oom,
            standing_target_bytes=balloon.target_bytes,
            reports_free_pages=None if self.features is None else self.features.reports_free_pages,
            hinting=hinting,
            statistics=balloon.statistics,
            troubles=(_NO_STATISTICS,) if is_silent else (),
        )

    async def probe(self) -> None:
        """Ask one thing and wait; see the base."""
        await self.session.get("/", deadline_s=None)

    async def set_target(self, target_bytes: int) -> None:
        """Send a target: the API takes whole MiB of balloon, and the guest gets the rest."""
        assert self.max_bytes is not None, "known since it was met"
        body = {"amount_mib": (self.max_bytes - target_bytes) // MIB}
        deadline_s = self.settings.command_deadline_s
        await self.session.send("PATCH", "/balloon", body, deadline_s=deadline_s)

    async def release(self) -> None:
        """Put back the reporting period that somebody else had set."""
        if self._period_before_s is not None:
            await self._set_period(self._period_before_s)

    async def _learn(self) -> None:
        deadline_s = self.settings.command_deadline_s
        machine = await self.session.get("/machine-config", deadline_s=deadline_s)
        self.max_bytes = parse_machine(machine)
        self.vsock = await self._vsock()
        try:
            answer = await self.session.get("/balloon", deadline_s=deadline_s)
        except ApiRefusedError:
            return  # it was started without one
        self.features = parse_features(answer)
        found_s = self.features.statistics_period_s or 0
        if self.settings.arm_statistics and found_s > self.settings.statistics_period_s:
            await self._set_period(self.settings.statistics_period_s)
            self._period_before_s = found_s

    async def _vsock(self) -> Path | None:
        deadline_s = self.settings.command_deadline_s
        try:
            told = parse_vsock(await self.session.get("/vm/config", deadline_s=deadline_s))
        except (ApiRefusedError, ViolationError, AnswerViolationError):
            return None  # it does not tell, and an agent is optional
        return None if told is None else seen_from_here(Path(told), self.session.pid)

    async def _set_period(self, period_s: int) -> None:
        body = {"stats_polling_interval_s": period_s}
        deadline_s = self.settings.command_deadline_s
        await self.session.send("PATCH", _STATISTICS, body, deadline_s=deadline_s)

    async def _balloon(self) -> _Balloon:
        """What it holds and what its guest says: with statistics off, neither is known."""
        if self.features is None or self.features.statistics_period_s == 0:
            return _Balloon()
        assert self.max_bytes is not None, "known since it was met"
        answer = await self.session.get(_STATISTICS, deadline_s=self.settings.command_deadline_s)
        target_bytes = parse_target_bytes(answer)
        return _Balloon(
            actual_bytes=self.max_bytes - parse_balloon_bytes(answer),
            target_bytes=None if target_bytes is None else self.max_bytes - target_bytes,
            statistics=self._sample.stamped(parse_figures(answer), max_bytes=self.max_bytes),
        )

    async def _hinting(self) -> Hinting | None:
        """Whether a run of free page hinting is under way; asked once a second, where it can be."""
        if self.features is None:
            return None
        if not self.features.hints_free_pages:
            return Hinting.OFF
        now_s = self.clock.now_s()
        if now_s - self._hinting_s >= _HINTING_GAP_S:
            self._hinting_s = now_s
            deadline_s = self.settings.command_deadline_s
            try:
                answer = await self.session.get(_HINTING, deadline_s=deadline_s)
                self._hinting_state = parse_hinting(answer)
            except (ApiRefusedError, ViolationError, AnswerViolationError):
                self._hinting_state = None  # a preview: it may change
        return self._hinting_state


async def _instance(session: ApiSession, *, deadline_s: float) -> Instance:
    instance = parse_instance(await session.get("/", deadline_s=deadline_s))
    if instance.run_state is None:
        raise NoVmError("Firecracker runs here, and its microVM has not been started")
    return instance
