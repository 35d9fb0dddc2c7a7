"""Finds a VM's balloon device, and keeps its guest's reports coming."""

from dataclasses import dataclass, replace
from functools import cached_property

from aerostat.drivers.qmp.answers import parse_properties
from aerostat.drivers.qmp.session import Command, CommandRefusedError, QmpSession
from aerostat.drivers.sockets.errors import AnswerViolationError

# Devices with an id, and without: there it is /machine/peripheral-anon/device[N].
_PARENTS = ("/machine/peripheral", "/machine/peripheral-anon")
# -pci, -pci-transitional, -pci-non-transitional, -ccw, -device: one prefix fits all.
_TYPE_PREFIX = "child<virtio-balloon"
_PERIOD = "guest-stats-polling-interval"


@dataclass(frozen=True, kw_only=True)
class BalloonDevice:
    """A balloon device by its path in QEMU's object tree."""

    path: str
    deflates_on_oom: bool | None = None  # None: it does not say
    period_before_s: int | None = None  # what we replaced and have to put back

    @cached_property
    def read_statistics(self) -> Command:
        """The command whose answer is guest-stats."""
        return Command(name="qom-get", arguments={"path": self.path, "property": "guest-stats"})


async def find_balloon(session: QmpSession, *, deadline_s: float) -> BalloonDevice | None:
    """Look for a balloon among the VM's devices; None if it has none.

    Raises:
        SessionError: the monitor did not answer.
        AnswerViolationError: it answered with something else.
    """
    commands = [Command(name="qom-list", arguments={"path": parent}) for parent in _PARENTS]
    answers = await session.ask_all(commands, deadline_s=deadline_s)
    for parent, answer in zip(_PARENTS, answers, strict=True):
        if isinstance(answer, CommandRefusedError):
            continue  # a machine without such a folder has no such devices
        for name, kind in parse_properties(answer):
            if kind.startswith(_TYPE_PREFIX):
                path = f"{parent}/{name}"
                lets_go = await _deflates_on_oom(session, path, deadline_s=deadline_s)
                return BalloonDevice(path=path, deflates_on_oom=lets_go)
    return None


async def _deflates_on_oom(session: QmpSession, path: str, *, deadline_s: float) -> bool | None:
    """Whether it lets go by itself when its guest runs out of memory; set once and for all."""
    command = Command(name="qom-get", arguments={"path": path, "property": "deflate-on-oom"})
    (answer,) = await session.ask_all((command,), deadline_s=deadline_s)
    return answer if isinstance(answer, bool) else None


async def arm_statistics(
    session: QmpSession, device: BalloonDevice, *, period_s: int, deadline_s: float
) -> BalloonDevice:
    """Let the guest report every ``period_s`` seconds, unless it does so more often already.

    Returns:
        The device, with the period to put back if somebody else had set a slower one.

    Raises:
        SessionError: it could not be read or set.
        AnswerViolationError: the period that is set is not a number.
    """
    where = {"path": device.path, "property": _PERIOD}
    found = await session.ask(Command(name="qom-get", arguments=where), deadline_s=deadline_s)
    if not isinstance(found, int) or isinstance(found, bool):
        raise AnswerViolationError(f"'{_PERIOD}' is not a number")
    if 0 < found <= period_s:
        return device
    await _set_period(session, device, period_s=period_s, deadline_s=deadline_s)
    before_s = found if found > period_s else None
    return replace(device, period_before_s=before_s)


async def restore_period(session: QmpSession, device: BalloonDevice, *, deadline_s: float) -> None:
    """Put back a period that somebody else had set; one that was off stays on, which is harmless.

    Raises:
        SessionError: it could not be set.
    """
    if device.period_before_s is not None:
        await _set_period(session, device, period_s=device.period_before_s, deadline_s=deadline_s)


async def _set_period(
    session: QmpSession, device: BalloonDevice, *, period_s: int, deadline_s: float
) -> None:
    arguments = {"path": device.path, "property": _PERIOD, "value": period_s}
    await session.ask(Command(name="qom-set", arguments=arguments), deadline_s=deadline_s)
