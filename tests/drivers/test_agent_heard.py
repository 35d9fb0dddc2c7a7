"""How far an agent is believed: it may say that its guest is short, and little else."""

from dataclasses import replace

from aerostat.drivers.agent import HeardAgent
from aerostat.drivers.agent.heard import DIFFERENT_TIMES, HeardFigures
from aerostat.drivers.agent.lines import AgentFigures, AgentLine, LineKind
from aerostat.model.events import PressurePushed, PressureTrigger
from aerostat.model.figures import Absence, AbsentFigure, BalloonStatistics
from aerostat.model.guest import GuestId
from aerostat.units import MIB

MAX = 512 * MIB
WALL_S = 1_790_000_000.0
DRIVER = BalloonStatistics(
    sampled_wall_s=WALL_S,
    age_s=0.0,
    available_bytes=200 * MIB,
    absent=(AbsentFigure(name="oom_kills", why=Absence.NOT_REPORTED),),
)
FIGURES = AgentFigures(
    total_bytes=500 * MIB,
    available_bytes=200 * MIB,
    free_bytes=100 * MIB,
    oom_kills=1,
    refaults=7,
    some_total_us=1_500_000,
    full_total_us=500_000,
)


class Ear:
    """An agent that is heard at times of the test's own."""

    def __init__(self) -> None:
        self.at_s = 0.0
        self.told: list[PressurePushed] = []
        self.agent = HeardAgent(GuestId("a"), clock=self, tell=self.told.append)

    def now_s(self) -> float:
        return self.at_s

    def wall_s(self) -> float:
        return WALL_S + self.at_s

    def says(self, figures: AgentFigures = FIGURES, *, triggers: int | None = 2) -> None:
        kind = LineKind.FIGURES
        self.agent.take(AgentLine(kind=kind, uptime_s=9.0, figures=figures, triggers=triggers))

    def cries(
        self, figures: AgentFigures = FIGURES, trigger: PressureTrigger = PressureTrigger.FULL
    ) -> None:
        kind = LineKind.PRESSURE
        self.agent.take(AgentLine(kind=kind, uptime_s=9.0, figures=figures, trigger=trigger))

    def read(self, statistics: BalloonStatistics | None = DRIVER) -> HeardFigures:
        return self.agent.beside(statistics, max_bytes=MAX)


def test_without_an_agent_nothing_is_added() -> None:
    assert Ear().read() == HeardFigures(statistics=DRIVER)


def test_pressure_is_read_and_what_the_driver_lacks_is_filled_in() -> None:
    ear = Ear()
    ear.says()
    ear.at_s = 0.5
    found = ear.read()
    assert found.pressure is not None
    assert (found.pressure.some_total_s, found.pressure.full_total_s) == (1.5, 0.5)
    assert (found.pressure.refaults, found.pressure.age_s) == (7, 0.5)
    assert found.statistics == replace(DRIVER, oom_kills=1, absent=())


def test_the_drivers_own_figures_stand_whatever_the_agent_says() -> None:
    ear = Ear()
    ear.says(replace(FIGURES, oom_kills=9))
    kept = replace(DRIVER, oom_kills=0, absent=())
    assert ear.read(kept).statistics == kept
    assert ear.read(None).statistics is None, "an agent alone is no sample to take memory by"


def test_old_figures_are_nobodys() -> None:
    ear = Ear()
    ear.says()
    ear.at_s = 11.0
    assert ear.read() == HeardFigures(statistics=DRIVER)


def test_pressure_is_passed_on_at_once_and_a_storm_of_it_is_not() -> None:
    ear = Ear()
    for hundredth in range(100):
        ear.at_s = hundredth / 100
        ear.cries()
    assert [event.is_first for event in ear.told] == [True, False, False, False, False]
    assert ear.told[0].free_bytes == 100 * MIB
    ear.at_s = 20.0
    ear.cries()
    assert ear.told[-1].is_first


def test_that_everybody_waits_is_not_swallowed_where_somebody_did_a_moment_before() -> None:
    ear = Ear()
    ear.cries(trigger=PressureTrigger.SOME)
    ear.at_s = 0.05
    ear.cries(trigger=PressureTrigger.FULL)
    ear.cries(trigger=PressureTrigger.SOME)
    ear.cries(trigger=PressureTrigger.FULL)
    assert [event.trigger for event in ear.told] == [PressureTrigger.SOME, PressureTrigger.FULL]


def test_sizes_above_the_vm_are_dropped_and_named() -> None:
    ear = Ear()
    ear.read()  # from now on it is known how large the VM is
    ear.cries(replace(FIGURES, free_bytes=MAX + 1))
    assert ear.told[0].free_bytes is None
    assert ear.read().troubles == ("its agent: free_bytes cannot be, and is dropped",)
    ear.at_s = 31.0
    assert ear.read().troubles == (), "told for as long as it is so, and a little longer"


def test_a_kernel_without_pressure_is_told() -> None:
    ear = Ear()
    ear.says(triggers=0)
    assert "psi=1" in ear.read().troubles[0]


def test_an_agent_that_the_driver_contradicts_is_not_believed() -> None:
    ear = Ear()
    found = ear.read()
    for second in range(DIFFERENT_TIMES + 1):
        ear.at_s = float(second)
        ear.says(replace(FIGURES, available_bytes=10 * MIB))
        found = ear.read(replace(DRIVER, sampled_wall_s=ear.wall_s()))
        assert (found.pressure is None) is (second >= DIFFERENT_TIMES - 1)
    assert "contradict" in found.troubles[0]
    ear.cries(replace(FIGURES, available_bytes=10 * MIB))
    assert ear.told == []
    ear.says()
    ear.at_s += 1
    ear.says()
    assert ear.read(replace(DRIVER, sampled_wall_s=ear.wall_s())).pressure is not None
