"""What is believed of an agent: it may say that its guest is short, and never that it is not.

Its figures stand beside those of the balloon driver. They fill in what that one does not tell, and
where both tell the same thing and differ for long, neither pressure nor anything else of the agent
counts. How much a guest uses, by which memory is taken, is never the agent's word.
"""

from collections.abc import Callable
from dataclasses import replace

from aerostat.drivers.agent.lines import AgentFigures, AgentLine, LineKind
from aerostat.model.events import PressurePushed, PressureTrigger
from aerostat.model.figures import BalloonStatistics, GuestPressure
from aerostat.model.guest import GuestId
from aerostat.model.sealed import sealed
from aerostat.ports.clock import Clock

Tell = Callable[[PressurePushed], None]
FRESH_S = 10.0
"""Figures older than this are nobody's."""
PUSH_GAP_S = 0.2
"""Pressure that is pushed again sooner is the same, unless it is worse: it wakes nobody."""
SERIES_S = 10.0
"""Pressure after so long without any is told as new."""
COMPLAINT_S = 30.0
"""So long a complaint stands after its last cause."""
DIFFERENT_RATIO = 0.25
"""Available memory that differs by more than this share of max is not the same guest's."""
DIFFERENT_TIMES = 5
"""In so many samples of the balloon driver one after the other."""
_FILLED = ("swap_in_bytes", "swap_out_bytes", "major_faults", "oom_kills")


@sealed
class HeardFigures:
    """What an agent adds to one reading of its guest."""

    pressure: GuestPressure | None = None
    statistics: BalloonStatistics | None = None
    troubles: tuple[str, ...] = ()


class HeardAgent:
    """The agent of one VM, as far as the host has heard of it."""

    def __init__(self, guest: GuestId, *, clock: Clock, tell: Tell) -> None:
        self._guest = guest
        self._clock = clock
        self._tell = tell
        self._line: AgentLine | None = None
        self._heard_s = 0.0
        self._heard_wall_s = 0.0
        self._pushed_s: float | None = None
        self._pushed = PressureTrigger.SOME
        self._complaints: dict[str, float] = {}
        self._judged_wall_s = 0.0  # the balloon driver's sample that was last compared
        self._differs = 0
        self._max_bytes: int | None = None

    @property
    def is_contradicted(self) -> bool:
        """Whether the balloon driver keeps telling another story."""
        return self._differs >= DIFFERENT_TIMES

    def complain(self, words: str) -> None:
        """Something about it is not right."""
        self._complaints[words] = self._clock.now_s()

    def take(self, line: AgentLine) -> None:
        """Take in a line; pressure is passed on at once."""
        now_s = self._clock.now_s()
        line = self._possible(line)
        if line.absurd:
            self.complain(f"{', '.join(line.absurd)} cannot be, and is dropped")
        if line.kind is LineKind.FIGURES and line.triggers == 0:
            self.complain("its kernel tells it of no pressure: boot the guest with psi=1")
        self._line, self._heard_s, self._heard_wall_s = line, now_s, self._clock.wall_s()
        if line.trigger is not None:
            self._push(line.trigger, line.figures.free_bytes, now_s)

    def beside(
        self, statistics: BalloonStatistics | None, *, max_bytes: int | None
    ) -> HeardFigures:
        """Put what it says beside what the balloon driver says.

        Args:
            statistics: the driver's sample.
            max_bytes: RAM of the VM; sizes above it cannot be.
        """
        self._max_bytes = max_bytes
        now_s = self._clock.now_s()
        figures = self._fresh(now_s)
        if figures is not None and statistics is not None:
            self._compare(figures, statistics, max_bytes)
        if self.is_contradicted and figures is not None:
            self.complain("it and the balloon driver contradict each other: it is not believed")
        troubles = self._troubles(now_s)
        if figures is None or self.is_contradicted:
            return HeardFigures(statistics=statistics, troubles=troubles)
        return HeardFigures(
            pressure=self._pressure(figures, now_s),
            statistics=_filled(statistics, figures),
            troubles=troubles,
        )

    def _possible(self, line: AgentLine) -> AgentLine:
        """Without sizes greater than the VM."""
        if self._max_bytes is None:
            return line
        names = ("total_bytes", "available_bytes", "free_bytes", "cache_bytes")
        wrong = [n for n in names if (getattr(line.figures, n) or 0) > self._max_bytes]
        if not wrong:
            return line
        kept = replace(line.figures, **dict.fromkeys(wrong))
        return replace(line, figures=kept, absurd=(*line.absurd, *wrong))

    def _push(self, trigger: PressureTrigger, free_bytes: int | None, now_s: float) -> None:
        gap_s = SERIES_S if self._pushed_s is None else now_s - self._pushed_s
        is_worse = trigger is PressureTrigger.FULL and self._pushed is PressureTrigger.SOME
        if (gap_s < PUSH_GAP_S and not is_worse) or self.is_contradicted:
            return
        self._pushed_s, self._pushed = now_s, trigger
        self._tell(
            PressurePushed(
                guest=self._guest,
                trigger=trigger,
                free_bytes=free_bytes,
                is_first=gap_s >= SERIES_S,
            )
        )

    def _fresh(self, now_s: float) -> AgentFigures | None:
        if self._line is None or now_s - self._heard_s > FRESH_S:
            return None
        return self._line.figures

    def _compare(
        self, figures: AgentFigures, statistics: BalloonStatistics, max_bytes: int | None
    ) -> None:
        """Each sample of the driver is compared once, and only where both are of the same time."""
        told, said = statistics.available_bytes, figures.available_bytes
        is_judged = statistics.sampled_wall_s == self._judged_wall_s
        apart_s = abs(statistics.sampled_wall_s - self._heard_wall_s)
        if is_judged or None in (told, said, max_bytes) or apart_s > 2.0:
            return
        assert told is not None
        assert said is not None
        assert max_bytes is not None
        self._judged_wall_s = statistics.sampled_wall_s
        differs = abs(told - said) > DIFFERENT_RATIO * max_bytes
        self._differs = min(self._differs + 1, DIFFERENT_TIMES) if differs else 0

    def _pressure(self, figures: AgentFigures, now_s: float) -> GuestPressure:
        return GuestPressure(
            sampled_wall_s=self._heard_wall_s,
            age_s=max(0.0, now_s - self._heard_s),
            some_total_s=_seconds(figures.some_total_us),
            full_total_s=_seconds(figures.full_total_us),
            refaults=figures.refaults,
            swap_total_bytes=figures.swap_total_bytes,
            swap_free_bytes=figures.swap_free_bytes,
        )

    def _troubles(self, now_s: float) -> tuple[str, ...]:
        if not self._complaints:  # as of nearly every agent, and of VMs that have none
            return ()
        self._complaints = {w: s for w, s in self._complaints.items() if now_s - s < COMPLAINT_S}
        return tuple(f"its agent: {words}" for words in sorted(self._complaints))


def _filled(
    statistics: BalloonStatistics | None, figures: AgentFigures
) -> BalloonStatistics | None:
    """The driver's sample with counters that the driver does not tell: more kernels tell ours."""
    if statistics is None or statistics.sampled_wall_s <= 0:
        return statistics
    missing = {
        name: getattr(figures, name)
        for name in _FILLED
        if getattr(statistics, name) is None and getattr(figures, name) is not None
    }
    if not missing:
        return statistics
    absent = tuple(figure for figure in statistics.absent if figure.name not in missing)
    return replace(statistics, absent=absent, **missing)


def _seconds(count_us: int | None) -> float | None:
    return None if count_us is None else count_us / 1e6
