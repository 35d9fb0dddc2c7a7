"""With balloons: the fleet simulator, under the policy that the daemon runs."""

import numpy as np

from aerostat.planner.costs import Costs, Figures
from aerostat.planner.hosts import Hosts
from aerostat.planner.parts import Sizes
from aerostat.planner.question import Question, Technique
from aerostat.policy.params import PolicyName
from aerostat.sim.fleet.run import run_spells
from aerostat.sim.fleet.world import FleetWorld

COMPILED_GUEST_TICKS = 200_000
"""Below that the interpreter is done before a compiler would be; both come to the same."""


def ballooned_costs(hosts: Hosts, guests: int, technique: Technique, question: Question) -> Costs:
    """Costs of so many guests a host; where the host compresses, it has the more for them."""
    part = hosts.part
    relief = question.relief_bytes if technique.is_compressing else 0
    demand = hosts.window(part.used_bytes, guests)
    world = FleetWorld(
        max_bytes=part.max_bytes[hosts.vms(guests)].reshape(-1),
        demand_bytes=np.ascontiguousarray(demand.reshape(-1, part.block_samples).T),
        guests_a_host=guests,
        overcommit_ratio=1.0,
        sample_s=part.sample_s,
        tick_s=part.tick_s,
        supply_bytes=np.full(hosts.count, question.supply_bytes + relief, dtype=np.int64),
        min_bytes=_of_vms(part.min_bytes, hosts, guests),
        weight=_of_vms(part.weight, hosts, guests),
    )
    guest_ticks = world.ticks * len(world.max_bytes)
    spells = list(
        run_spells(
            world,
            PolicyName.ADAPTIVE,
            spell_ticks=part.spell_samples * world.ticks_per_sample,
            is_compiled=question.is_compiled and guest_ticks > COMPILED_GUEST_TICKS,
        )
    )
    spells = spells[: part.block_samples // part.spell_samples]  # a rest makes no hour
    wanted = demand.sum(axis=1).astype(np.float64)
    compressed = np.zeros_like(wanted)
    if relief:
        over = np.maximum(0.0, wanted - question.supply_bytes)
        compressed = np.minimum(question.compressed_bytes(over), wanted)
    hour_s = part.spell_samples * part.sample_s

    def by_spell(figures: Figures) -> Figures:
        whole = figures[:, : len(spells) * part.spell_samples]
        summed: Figures = whole.reshape(hosts.count, len(spells), -1).sum(axis=2) * part.sample_s
        return summed

    used = by_spell(wanted)
    above = np.zeros_like(used)
    if part.above_bytes is not None:
        above = by_spell(hosts.window(part.above_bytes, guests).sum(axis=1).astype(np.float64))
    held = _of_hosts([spell.held_bytes for spell in spells], hosts) * hour_s
    if technique.is_reporting:
        held = np.minimum(held, used + (1.0 - question.reported_ratio) * (held - used))
    return Costs(
        short_byte_s=_of_hosts([spell.short_byte_s for spell in spells], hosts) + above,
        wanted_byte_s=_of_hosts([spell.wanted_byte_s for spell in spells], hosts) + above,
        pressed_s=np.array([spell.below_reserve_s for spell in spells]).T,
        compressed_byte_s=by_spell(compressed),
        resident_byte_s=held,
        hour_s=hour_s,
    )


def _of_vms(told: Sizes | None, hosts: Hosts, guests: int) -> Sizes | None:
    """Figures of VMs, if any are told, as those of the guests in the world's order."""
    return None if told is None else told[hosts.vms(guests)].reshape(-1)


def _of_hosts(scores: list[Figures], hosts: Hosts) -> Figures:
    """[spell][guest] to [host, spell]."""
    return np.array([score.reshape(hosts.count, -1).sum(axis=1) for score in scores]).T
