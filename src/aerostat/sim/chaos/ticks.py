"""The tick loop of a chaos world, over columns: compiled together with the engine."""

from aerostat.engine.columns import Round
from aerostat.engine.decide import decide
from aerostat.sim.chaos.answer import hear, send, take_plan
from aerostat.sim.chaos.check import check as check_round
from aerostat.sim.chaos.columns import START_S, World
from aerostat.sim.chaos.physics import live
from aerostat.sim.chaos.show import (
    CRITICAL,
    HARD,
    SOFT,
    judge_supply,
    note_use,
    settle_host,
    show_figures,
    show_host,
)


def run_ticks(world: World, r: Round, first: int, end: int) -> None:
    """Let ticks ``first`` to ``end`` pass: look, decide, check, send, live."""
    for tick in range(first, end):
        now_s = START_S + tick * world.tick_s
        settle_host(world)
        note_use(world, r.memory)
        judge_supply(world)
        now = Round(
            now_s,
            world.host.is_static[0] ^ 1,
            r.knobs,
            r.hosts,
            r.figures,
            r.memory,
            r.estimates,
            r.desk,
            r.grants,
            r.wants,
            r.decision,
            1 if world.host.state[0] in (HARD, CRITICAL) else 0,
            1 if world.host.state[0] in (SOFT, HARD, CRITICAL) else 0,
            r.backing_bytes,
        )
        hear(world, now, tick)
        show_figures(world, now.figures, now_s)
        show_host(world, now)
        decide(now)
        take_plan(world, now)
        check_round(world, now_s, tick)
        send(world, tick)
        live(world, now_s + world.tick_s)
