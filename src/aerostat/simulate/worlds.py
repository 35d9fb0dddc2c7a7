"""What was named on the command line, as worlds: scenarios, synthetic fleets, traces."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from aerostat.policy.params import PolicyName
from aerostat.ports.errors import AerostatError
from aerostat.sim.calibration import UNCALIBRATED, calibrated_for, read_constants
from aerostat.sim.fleet.draw import Draw, Source
from aerostat.sim.fleet.full.build import FullPhysics
from aerostat.sim.fleet.full.fitted import fitted
from aerostat.sim.fleet.kinds import KINDS, FleetRecipe, synthetic_fleet
from aerostat.sim.fleet.tournament import Arm
from aerostat.sim.fleet.world import TICK_S_MAX, is_whole, whole_tick_s
from aerostat.sim.scenario.read import load_scenario
from aerostat.sim.scenario.tables import Scenario
from aerostat.sim.trace import read_trace
from aerostat.sim.trace.trace import Reading, Trace

DAY_S = 86_400.0
HOSTS_OF_A_FLEET = 6
"""Of a synthetic fleet, where nobody says how many; a trace fills as many as it can."""

TICKS_A_SAMPLE_MAX = 10_000
DAYS_SLACK = 1.01
"""A month whose last sample is missing is still the month that was asked for."""


class WorldError(AerostatError):
    """A world or setting that cannot be used; the message says why and what would be right."""

    exit_status = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What holds for all fleets of a contest.

    Attributes:
        policies: that compete; none: all.
        overcommits: sums of max over what hosts have for guests.
        seeds: of synthetic fleets, and of who stands on which host.
        hosts: so many; ``None``: see ``HOSTS_OF_A_FLEET``.
        guests_a_host: VMs on each of them.
        tick_s: how often policies are asked; ``None``: a whole part of a sample, at most 10 s.
        days: of a trace from its start; how long a synthetic fleet lives, a day if not said.
        reading: how traces are read.
        looks: how often runs are written down for plots.
        full: what guests and hosts are made of, kernels, caches and swap devices; ``None``:
            physics are simplified.
        is_compiled: whether loops are compiled.
    """

    policies: tuple[PolicyName, ...] = tuple(PolicyName)
    overcommits: tuple[float, ...] = (3.0,)
    seeds: tuple[int, ...] = (1,)
    hosts: int | None = None
    guests_a_host: int = 16
    tick_s: float | None = None
    days: float | None = None
    reading: Reading = Reading()
    looks: int = 0
    full: FullPhysics | None = None
    is_compiled: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class FleetWorlds:
    """A trace, or a synthetic fleet for each seed, and the arms on it."""

    name: str
    notes: tuple[str, ...]
    arms: tuple[Arm, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ScenarioWorld:
    """A scenario, and the policies it is played under."""

    name: str
    scenario: Scenario
    policies: tuple[PolicyName, ...]
    looks: int = 0  # written down for plots
    notes: tuple[str, ...] = ()


World = FleetWorlds | ScenarioWorld


def worlds_of(names: Sequence[str], settings: Settings) -> list[World]:
    """Open what was named.

    Raises:
        WorldError: there is nothing of that name, or the settings do not fit it.
        TraceError: a trace cannot be used.
        ScenarioError: a scenario is wrong.
    """
    return [_world(name, settings) for name in names]


def with_constants(full: FullPhysics, name: str) -> FullPhysics:
    """Full physics with constants fitted to real guests.

    Args:
        full: guests and hosts otherwise.
        name: of an accelerator whose constants come with Aerostat, or a file of ``lab calibrate``.

    Raises:
        WorldError: there are none of that name.
        CalibrationError: the file cannot be used.
    """
    constants = read_constants(Path(name)) if Path(name).is_file() else calibrated_for(name)
    if constants is UNCALIBRATED:
        raise WorldError(f"{name}: no such file, and no constants were fitted for that; tcg were")
    return fitted(full, constants)


def _world(name: str, settings: Settings) -> World:
    path = Path(name)
    if name in KINDS and not path.exists():
        return _fleet(name, settings)
    if path.suffix == ".toml":
        return _scenario(path, settings)
    if not path.exists():
        raise WorldError(
            f"{name}: there is no such file, and no fleet of that name; fleets: "
            f"{', '.join(KINDS)}; files: a scenario (.toml) or a trace (docs/traces.md)"
        )
    trace = read_trace(path, settings.reading)
    return FleetWorlds(
        name=trace.name,
        notes=(*trace.notes, *_cut(trace, settings)),
        arms=_arms(dict.fromkeys(settings.seeds, trace), settings),
    )


def _cut(trace: Trace, settings: Settings) -> tuple[str, ...]:
    """A trace that has less than was asked for is played as far as it goes, and says so."""
    there = trace.vms // settings.guests_a_host
    days = trace.samples * trace.sample_s / DAY_S
    notes = []
    if settings.hosts is not None and settings.hosts > there:
        notes.append(f"its VMs fill {there} hosts, not the {settings.hosts} of --hosts")
    if settings.days is not None and settings.days > days * DAYS_SLACK:
        notes.append(f"it holds {days:.3g} days, not the {settings.days:g} of --days")
    return tuple(notes)


def _unheeded(settings: Settings) -> tuple[str, ...]:
    """A scenario says itself who stands where, and for how long: what was asked otherwise."""
    said = {
        "--hosts": settings.hosts,
        "--days": settings.days,
        "--tick": settings.tick_s,
        "--full": settings.full,
    }
    asked = [option for option, value in said.items() if value is not None]
    return (f"a scenario has its own: {', '.join(asked)} did not count",) if asked else ()


def _fleet(kind: str, settings: Settings) -> FleetWorlds:
    vms = (settings.hosts or HOSTS_OF_A_FLEET) * settings.guests_a_host
    days = settings.days or 1.0
    traces = {seed: _drawn(kind, seed, vms, days) for seed in settings.seeds}
    return FleetWorlds(name=kind, notes=(), arms=_arms(traces, settings))


def _drawn(kind: str, seed: int, vms: int, days: float) -> Source:
    """A recipe where a part can be drawn without the rest."""
    if kind == "mixed":
        return synthetic_fleet(kind, seed=seed, vms=vms, days=days)
    return FleetRecipe(kind=kind, seed=seed, vms=vms, days=days)


def _arms(traces: Mapping[int, Source], settings: Settings) -> tuple[Arm, ...]:
    # Policies vary fastest, so that no two processes compile the same one at once.
    return tuple(
        Arm(
            trace=trace,
            policy=policy,
            draw=Draw(
                seed=seed,
                hosts=settings.hosts,
                guests_a_host=settings.guests_a_host,
                samples=_samples(trace, settings),
            ),
            overcommit_ratio=overcommit,
            tick_s=_tick_s(trace, settings.tick_s),
            looks=settings.looks,
            full=settings.full,
            is_compiled=settings.is_compiled,
        )
        for seed, trace in traces.items()
        for overcommit in settings.overcommits
        for policy in settings.policies
    )


def _samples(trace: Source, settings: Settings) -> tuple[int, int]:
    there = trace.samples
    if settings.days is None:
        return (0, there)
    return (0, max(1, min(there, round(settings.days * DAY_S / trace.sample_s))))


def _tick_s(trace: Source, tick_s: float | None) -> float:
    """The tick, which must go into a sample a whole number of times."""
    if tick_s is None:
        return whole_tick_s(trace.sample_s)
    times = trace.sample_s / tick_s
    if not is_whole(times):
        fitting = _near(tick_s, trace.sample_s)
        raise WorldError(
            f"{trace.name}: a sample of {trace.sample_s:g} s is no whole number of ticks of "
            f"{tick_s:g} s; --tick {fitting} would do"
        )
    return tick_s


def _near(tick_s: float, sample_s: float) -> str:
    """A tick near to the one that was asked for that fits, as it can be written."""
    ticks = (sample_s / number for number in range(1, TICKS_A_SAMPLE_MAX))
    texts = [f"{tick:g}" for tick in ticks if tick <= TICK_S_MAX]
    fitting = [text for text in texts if is_whole(sample_s / float(text))]
    return f"{min(fitting, key=lambda text: abs(float(text) - tick_s), default=f'{sample_s:g}')}s"


def _scenario(path: Path, settings: Settings) -> ScenarioWorld:
    policies = tuple(p for p in settings.policies if p is not PolicyName.CLAIRVOYANT)
    if not policies:
        raise WorldError(f"{path}: in a scenario nobody can know the future: no clairvoyant")
    scenario = load_scenario(path)
    return ScenarioWorld(
        name=path.stem,
        scenario=scenario,
        policies=policies,
        looks=settings.looks,
        notes=_unheeded(settings),
    )
