"""The table: a block for each world and overcommit ratio, a line for each policy; 80 columns."""

from collections.abc import Iterator, Sequence

from aerostat.policy.params import PolicyName
from aerostat.sim.fleet.summary import Summary, together
from aerostat.sim.fleet.tournament import ArmResult
from aerostat.simulate.contest import Contest, ScenarioArm, WorldResult
from aerostat.simulate.worlds import FleetWorlds
from aerostat.units import GIB

WIDTH = 80


def contest_table(contest: Contest) -> str:
    """All results for people, the best policy of a block first; and the digest."""
    blocks = [block for world in contest.worlds for block in _blocks(world)]
    return "\n\n".join([*blocks, f"digest {contest.digest}"])


def _blocks(world: WorldResult) -> Iterator[str]:
    if isinstance(world.world, FleetWorlds):
        for overcommit in dict.fromkeys(arm.arm.overcommit_ratio for arm in world.fleets):
            arms = [arm for arm in world.fleets if arm.arm.overcommit_ratio == overcommit]
            yield _fleet_block(world.world, overcommit, arms)
        return
    yield _scenario_block(world)


_FLEET_HEAD = (
    f"{'policy':16} {'unmet':>9} {'worst':>9} {'distress':>10} {'host over':>10} "
    f"{'churn':>9} {'swapped':>9}\n"
    f"{'':16} {'':>9} {'VM':>9} {'s/VM day':>10} {'s/day':>10} {'GiB/VM h':>9} {'GiB/VM h':>9}"
)
_FULL_HEAD = (
    f"{'policy':16} {'unmet':>9} {'lost':>9} {'distress':>10} {'killed':>10} "
    f"{'churn':>9} {'swapped':>9}\n"
    f"{'':16} {'':>9} {'s/VM day':>9} {'s/VM day':>10} {'':>10} {'GiB/VM h':>9} {'GiB/VM h':>9}"
)


def _fleet_block(world: FleetWorlds, overcommit: float, arms: Sequence[ArmResult]) -> str:
    rows: dict[PolicyName, list[Summary]] = {}
    for arm in arms:
        rows.setdefault(arm.arm.policy, []).append(arm.summary)
    whole = {policy: together(runs) for policy, runs in rows.items()}
    first = arms[0]
    guests = first.arm.draw.guests_a_host
    hosts = round(first.summary.guest_s / guests / (first.summary.host_s / _hosts(first)))
    days = first.summary.guest_s / (hosts * guests) / 86_400
    seeds = len({arm.arm.draw.seed for arm in arms})
    title = (
        f"{world.name} at {overcommit:g}x: {hosts} hosts of {guests} VMs, {days:.3g} days, "
        f"{seeds} seed{'s' if seeds > 1 else ''}, tick {first.arm.tick_s:g} s"
    )
    best_first = sorted(whole, key=lambda policy: (whole[policy].unmet_ratio, policy))
    is_full = first.arm.full is not None
    line = _full_line if is_full else _fleet_line
    head = _FULL_HEAD if is_full else _FLEET_HEAD
    lines = [title[:WIDTH], head, *(line(name, whole[name]) for name in best_first)]
    return "\n".join(lines)


def _hosts(arm: ArmResult) -> int:
    return sum(len(part.hosts.first) for part in arm.outcome.parts)


def _fleet_line(policy: PolicyName, run: Summary) -> str:
    hours = run.guest_s / 3600
    swapped = (run.swap_in_bytes + run.swap_out_bytes) / GIB / hours
    return (
        f"{policy:16} {run.unmet_ratio:9.4%} {run.worst_unmet_ratio:9.3%} "
        f"{run.distressed_s_per_guest_day:10.1f} {run.below_reserve_s_per_host_day:10.1f} "
        f"{run.churn_gib_per_guest_hour:9.3f} {swapped:9.3f}"
    )


def _full_line(policy: PolicyName, run: Summary) -> str:
    hours = run.guest_s / 3600
    swapped = (run.swap_in_bytes + run.swap_out_bytes) / GIB / hours
    return (
        f"{policy:16} {run.unmet_ratio:9.4%} {run.lost_s / hours * 24:9.1f} "
        f"{run.distressed_s_per_guest_day:10.1f} {run.oom_kills + run.host_oom_kills:10d} "
        f"{run.churn_gib_per_guest_hour:9.3f} {swapped:9.3f}"
    )


_SCENARIO_HEAD = (
    f"{'policy':16} {'held':>7} {'served':>8} {'starved':>8} {'stalled':>8} "
    f"{'swap in':>9} {'killed':>7} {'churn':>9}\n"
    f"{'':16} {'checks':>7} {'%':>8} {'s':>8} {'s':>8} {'GiB':>9} {'':>7} {'GiB':>9}"
)


def _scenario_block(world: WorldResult) -> str:
    lines = [f"{world.world.name}: a scenario"[:WIDTH], _SCENARIO_HEAD]
    many = len({arm.seed for arm in world.scenarios}) > 1
    ranked = sorted(
        world.scenarios,
        key=lambda arm: (len(arm.result.failures), -arm.result.operations, arm.policy, arm.seed),
    )
    lines += [_scenario_line(arm, with_seed=many) for arm in ranked]
    return "\n".join(lines)


def _scenario_line(arm: ScenarioArm, *, with_seed: bool) -> str:
    run = arm.result
    name = f"{arm.policy} #{arm.seed}" if with_seed else str(arm.policy)
    held = f"{run.checks - len(run.failures)}/{run.checks}"
    served = "-" if run.served_ratio is None else f"{100 * run.served_ratio:.1f}"
    return (
        f"{name:16.16} {held:>7} {served:>8} {run.starved_s:8d} {run.stalled_s:8.1f} "
        f"{run.swap_in_bytes / GIB:9.2f} {run.oom_kills:7d} {run.churn_bytes / GIB:9.2f}"
    )
