"""One VM on a live connection: who it is, what it says, and how its target is set."""

import contextlib
from collections.abc import Callable, Sequence
from typing import TypeVar

from aerostat.drivers.agent import HeardAgent, HeardFigures
from aerostat.drivers.qmp.answers import (
    Jobs,
    parse_dimm_bytes,
    parse_disk_read_bytes,
    parse_jobs,
    parse_run_state,
    parse_size,
    parse_text,
    parse_uuid,
)
from aerostat.drivers.qmp.device import (
    BalloonDevice,
    arm_statistics,
    find_balloon,
    restore_period,
)
from aerostat.drivers.qmp.session import Answer, Command, CommandRefusedError, QmpSession
from aerostat.drivers.qmp.statistics import parse_guest_stats
from aerostat.drivers.report import SampleAge
from aerostat.drivers.sockets.errors import AnswerViolationError
from aerostat.drivers.sockets.guest import Identity, Reading
from aerostat.drivers.sockets.settings import SocketSettings
from aerostat.model.figures import BalloonStatistics
from aerostat.model.guest import GuestId, RunState
from aerostat.ports.clock import Clock

_IDENTITY = (Command(name="query-uuid"), Command(name="query-name"))
_SIZES = (Command(name="query-memory-size-summary"), Command(name="query-memory-devices"))
_ROUND = (
    Command(name="query-status"),
    Command(name="query-migrate"),
    Command(name="query-balloon"),
    Command(name="query-blockstats"),
)
_JOBS = Command(name="query-jobs")
SAMPLE_GAP_S = 1.0
"""QEMU asks the guest anew so long, or a whole number of seconds more, after its last report."""
_Parsed = TypeVar("_Parsed")


class ConnectedGuest:
    """A VM whose monitor answers, for as long as this connection lasts."""

    def __init__(
        self,
        session: QmpSession,
        identity: Identity,
        *,
        label: str,
        settings: SocketSettings,
        clock: Clock,
    ) -> None:
        self.session = session
        self.identity = identity
        self._label = label  # what it is called if it has no name
        self.max_bytes: int | None = None
        self.sample_gap_s = SAMPLE_GAP_S
        self._settings = settings
        self._clock = clock
        self._device: BalloonDevice | None = None
        self._device_trouble: tuple[str, ...] = ()
        self._age = SampleAge()
        self._agent: HeardAgent | None = None
        self._jobs = Jobs()
        self._may_have_jobs = True  # nobody has looked yet
        self._may_have_grown = False  # or shrunk: memory is plugged while a VM runs

    @classmethod
    async def identify(
        cls, session: QmpSession, *, label: str, settings: SocketSettings, clock: Clock
    ) -> "ConnectedGuest":
        """Ask a VM who it is, find its balloon and let its guest report.

        Raises:
            SessionError: the monitor did not answer.
            AnswerViolationError: it answered with something else than the protocol promises.
        """
        answers = await session.ask_all(
            (*_IDENTITY, *_SIZES), deadline_s=settings.command_deadline_s
        )
        identity = _identity(answers, session, label)
        guest = cls(session, identity, label=label, settings=settings, clock=clock)
        guest.max_bytes = _size(answers[len(_IDENTITY) :])
        await guest._adopt_device()
        return guest

    async def meets_again(self, session: QmpSession) -> bool:
        """Go on over another connection; whether it leads to the same VM.

        Raises:
            SessionError: the monitor did not answer.
        """
        answers = await session.ask_all(_IDENTITY, deadline_s=self._settings.command_deadline_s)
        if _identity(answers, session, self._label) != self.identity:
            return False
        self.session = session
        return True

    def listen_to(self, agent: HeardAgent) -> None:
        """What an agent in the guest says is read with everything else from now on."""
        self._agent = agent

    def note_jobs(self) -> None:
        """A background job began, went on or ended: look at them with the next reading."""
        self._may_have_jobs = True

    def note_devices(self) -> None:
        """A device is gone: it may have been memory."""
        self._may_have_grown = True

    @property
    def must_be_released(self) -> bool:
        """Whether something is to be put back in it."""
        return self._device is not None and self._device.period_before_s is not None

    async def read(self, *, deadline_s: float | None = None) -> Reading:
        """Ask for one round's figures, all at once.

        Args:
            deadline_s: for each set of answers; None: whoever calls sets one.

        Raises:
            SessionError: the monitor did not answer.
        """
        device = self._device
        commands = (*_ROUND, device.read_statistics) if device is not None else _ROUND
        if asks_for_jobs := self._may_have_jobs or self._jobs.is_any:
            self._may_have_jobs = False  # before asking: what changes from now on is asked again
            commands = (*commands, _JOBS)
        if self._may_have_grown:
            await self._measure(deadline_s)
        answers = await self.session.ask_all(commands, deadline_s=deadline_s)
        status, migration, balloon, disks = answers[: len(_ROUND)]
        troubles: list[str] = []
        if asks_for_jobs:
            self._jobs = self._parsed_jobs(answers[-1], troubles)
        actual_bytes = self._actual(balloon, troubles)
        statistics = self._statistics(answers[len(_ROUND)], troubles) if device else None
        if device is None and actual_bytes is not None:
            await self._adopt_device()  # plugged in while the VM runs
        heard = HeardFigures(statistics=statistics)
        if self._agent is not None:
            heard = self._agent.beside(statistics, max_bytes=self.max_bytes)
        return Reading(
            run_state=self._run_state(status, migration),
            actual_bytes=actual_bytes,
            has_balloon=_has_balloon(balloon),
            deflates_on_oom=None if device is None else device.deflates_on_oom,
            statistics=heard.statistics,
            pressure=heard.pressure,
            disk_read_bytes=_disk_read_bytes(disks, troubles),
            is_backing_up=self._jobs.is_backing_up,
            troubles=(*troubles, *self._device_trouble, *heard.troubles),
        )

    async def set_target(self, target_bytes: int) -> None:
        """Send a target; a return means that QEMU took it.

        Raises:
            SessionError: see ``QmpSession.ask``.
        """
        command = Command(name="balloon", arguments={"value": target_bytes})
        await self.session.ask(command, deadline_s=self._settings.command_deadline_s)

    async def release(self) -> None:
        """Put back what somebody else had set.

        Raises:
            SessionError: the monitor did not answer.
        """
        if self._device is not None:
            deadline_s = self._settings.command_deadline_s
            await restore_period(self.session, self._device, deadline_s=deadline_s)

    async def _adopt_device(self) -> None:
        """Find the balloon and let its guest report; a VM that refuses is still watched."""
        self._device_trouble = ()
        try:
            self._device = await find_balloon(
                self.session, deadline_s=self._settings.command_deadline_s
            )
            if self._device is not None and self._settings.arm_statistics:
                self._device = await arm_statistics(
                    self.session,
                    self._device,
                    period_s=self._settings.statistics_period_s,
                    deadline_s=self._settings.command_deadline_s,
                )
        except (CommandRefusedError, AnswerViolationError) as error:
            self._device_trouble = (f"its guest cannot be made to report: {error}",)

    async def _measure(self, deadline_s: float | None) -> None:
        """Ask for its size anew, before a round whose figures are held against it."""
        answers = await self.session.ask_all(_SIZES, deadline_s=deadline_s)
        self._may_have_grown = False
        with contextlib.suppress(AnswerViolationError):  # what was known holds
            self.max_bytes = _size(answers) or self.max_bytes

    def _run_state(self, status: Answer, migration: Answer) -> RunState:
        state = parse_run_state(status, migration)
        saves = self._jobs.is_saving and state in (RunState.RUNNING, RunState.PAUSED)
        return RunState.MIGRATING if saves else state

    def _parsed_jobs(self, answer: Answer, troubles: list[str]) -> Jobs:
        if isinstance(answer, CommandRefusedError):
            return Jobs()  # a QEMU before 3.0 has no such command
        return _parse_or_say(lambda: parse_jobs(answer), troubles) or Jobs()

    def _actual(self, answer: Answer, troubles: list[str]) -> int | None:
        if isinstance(answer, CommandRefusedError):
            if not _is_inactive(answer):
                troubles.append(f"its balloon could not be read: {answer}")
            return None
        actual_bytes = _parse_or_say(lambda: parse_size(answer, "actual"), troubles)
        if actual_bytes is not None and actual_bytes > (self.max_bytes or 0):
            self.max_bytes = actual_bytes  # memory plugged in later counts in `actual`
            self._may_have_grown = True
        return actual_bytes

    def _statistics(self, answer: Answer, troubles: list[str]) -> BalloonStatistics | None:
        if isinstance(answer, CommandRefusedError):
            self._device = None  # unplugged, or plugged in again under another name
            troubles.append(f"its guest's figures could not be read: {answer}")
            return None
        report = _parse_or_say(
            lambda: parse_guest_stats(answer, max_bytes=self.max_bytes), troubles
        )
        if report is None:
            return None
        now_s, wall_s = self._clock.now_s(), self._clock.wall_s()
        return report.aged(self._age.age_s(report.updated_wall_s, now_s=now_s, wall_s=wall_s))


def _identity(answers: Sequence[Answer], session: QmpSession, label: str) -> Identity:
    uuid, name = (None if isinstance(a, CommandRefusedError) else a for a in answers[:2])
    shown_name = parse_text(name, "name")
    return Identity(
        guest=GuestId(parse_uuid(uuid) or shown_name or label),
        name=shown_name or label,
        pid=session.peer_pid,
    )


def _size(answers: Sequence[Answer]) -> int | None:
    """What it may hold at most, as the balloon counts: its RAM and what is plugged in as DIMMs."""
    summary, plugged = (None if isinstance(a, CommandRefusedError) else a for a in answers)
    if summary is None:
        return None
    return parse_size(summary, "base-memory") + (parse_dimm_bytes(plugged) if plugged else 0)


def _is_inactive(refusal: CommandRefusedError) -> bool:
    return refusal.error_class == "DeviceNotActive"


def _disk_read_bytes(answer: Answer, troubles: list[str]) -> int | None:
    if isinstance(answer, CommandRefusedError):
        return None  # it decides nothing alone: no reason to complain in every round
    return _parse_or_say(lambda: parse_disk_read_bytes(answer), troubles)


def _has_balloon(answer: Answer) -> bool | None:
    if isinstance(answer, CommandRefusedError):
        return False if _is_inactive(answer) else None
    return True


def _parse_or_say(parse: Callable[[], _Parsed], troubles: list[str]) -> _Parsed | None:
    """One part that makes no sense does not take the others with it."""
    try:
        return parse()
    except AnswerViolationError as error:
        troubles.append(str(error))
        return None
