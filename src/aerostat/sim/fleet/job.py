"""Part of an arm as a value that any process can run: some hosts of a world, under a policy."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from aerostat.policy.params import PolicyName
from aerostat.sim.fleet.draw import Draw, drawn_world
from aerostat.sim.fleet.full.build import FullPhysics
from aerostat.sim.fleet.kinds import FleetRecipe
from aerostat.sim.fleet.run import Outcome, run_policy
from aerostat.sim.fleet.series import Series, SeriesWatch, joined_series
from aerostat.sim.fleet.world import FleetWorld


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """Whether and how to watch a run.

    Attributes:
        looks: how often, over the run; 0: not at all.
        host: the one whose guests are watched, by its number in the whole world.
    """

    looks: int = 0
    host: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class FleetResult:
    """What a part left behind."""

    outcome: Outcome
    series: Series | None


@dataclass(frozen=True, slots=True, kw_only=True)
class WorldRecipe:
    """Hosts of a world that is drawn where it is run: some bytes in place of its demand."""

    source: FleetRecipe
    draw: Draw
    overcommit_ratio: float
    tick_s: float
    full: FullPhysics | None
    hosts: tuple[int, int]  # the first and the one after the last

    def world(self) -> FleetWorld:
        """These hosts alone."""
        return drawn_world(
            self.source,
            self.draw,
            overcommit_ratio=self.overcommit_ratio,
            tick_s=self.tick_s,
            full=self.full,
            hosts=self.hosts,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class FleetJob:
    """Hosts of a world, and the policy they run under."""

    hosts: FleetWorld | WorldRecipe  # these alone
    first_host: int
    policy: PolicyName
    look: Look
    is_compiled: bool = True

    def run(self) -> FleetResult:
        """Run it; the same job gives the same result, wherever it is run."""
        world = self.hosts.world() if isinstance(self.hosts, WorldRecipe) else self.hosts
        watch = self._watch(world)
        outcome = run_policy(world, self.policy, is_compiled=self.is_compiled, watch=watch)
        # The demand is long and known to whoever asked.
        parts = tuple(part._replace(demand_bytes=()) for part in outcome.parts)
        return FleetResult(
            outcome=replace(outcome, parts=parts), series=None if watch is None else watch.series
        )

    def _watch(self, world: FleetWorld) -> SeriesWatch | None:
        if self.look.looks == 0:
            return None
        own = self.look.host - self.first_host
        return SeriesWatch(
            world,
            looks=self.look.looks,
            host=own if 0 <= own < world.hosts else None,
            first=self.first_host * world.guests_a_host,
        )


def jobs_of(
    world: FleetWorld, policy: PolicyName, look: Look, *, hosts_a_job: int, is_compiled: bool
) -> Iterator[FleetJob]:
    """Cut a world into jobs of some hosts each; how, decides nothing about the result."""
    for first in range(0, world.hosts, hosts_a_job):
        yield FleetJob(
            hosts=world.some_hosts(first, min(world.hosts, first + hosts_a_job)),
            first_host=first,
            policy=policy,
            look=look,
            is_compiled=is_compiled,
        )


def joined(results: Sequence[FleetResult]) -> FleetResult:
    """The result of a world from those of its jobs, in their order."""
    outcome = Outcome(
        parts=tuple(part for result in results for part in result.outcome.parts),
        guest_ticks=sum(result.outcome.guest_ticks for result in results),
        cpu_s=sum(result.outcome.cpu_s for result in results),
    )
    series = [result.series for result in results if result.series is not None]
    return FleetResult(outcome=outcome, series=joined_series(series) if series else None)
