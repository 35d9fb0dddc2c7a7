"""Runs a scenario: the real loop on its world, on virtual time; and judges what came of it."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from functools import partial

from aerostat.config.document import Document
from aerostat.config.parameters import engine_params
from aerostat.engine.params import EngineParams, HostParams
from aerostat.model.limits import LimitRule
from aerostat.sim.scenario.happening import DaemonDeed
from aerostat.sim.scenario.recording import Recording
from aerostat.sim.scenario.stage import Stage
from aerostat.sim.scenario.tables import Scenario
from aerostat.sim.virtual_time import run_simulated

_LOOK_EVERY_S = 0.25

_Deed = Callable[[], Awaitable[None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What came of a run: its recording, and what did not hold, by the checks' names."""

    recording: Recording
    failures: dict[str, str]

    def __str__(self) -> str:
        return "\n".join(f"{name}: {why}" for name, why in self.failures.items()) or "all held"


def params_of(scenario: Scenario) -> EngineParams:
    """The parameters that the scenario declares, for our own engine."""
    table = scenario.host
    host = HostParams(
        accounting=table.accounting,
        budget_bytes=table.budget,
        reserve=table.reserve,
        burst_reserve=table.burst_reserve,  # as the scenario says, whatever guests did before
        burst_reserve_min=table.burst_reserve,
    )
    rules = tuple(
        LimitRule(name_glob=name, limits=guest.limits())
        for guest in scenario.guest
        for name in guest.names()
    )
    # The knobs have the words and the defaults of a configuration.
    params = engine_params(Document(advanced=scenario.advanced))
    return replace(params, host=host, rules=rules)


def play(scenario: Scenario, params: EngineParams) -> Verdict:
    """Run a scenario under these parameters and judge it."""
    recording = run_simulated(_play(scenario, params))
    failures: dict[str, str] = {}
    for check in scenario.must:
        failure = check.failure(recording)
        if failure is not None:
            failures[check.name] = failure
    return Verdict(recording=recording, failures=failures)


async def _play(scenario: Scenario, params: EngineParams) -> Recording:
    stage = Stage(scenario, params)
    async with asyncio.TaskGroup() as tasks:
        living = [tasks.create_task(stage.world.run()), tasks.create_task(_look(stage))]
        if not scenario.starts_without_daemon:
            await stage.daemon.do(DaemonDeed.START, tasks)
        for at_s, deed in _timeline(scenario, stage, tasks):
            await _sleep_until(at_s)
            await deed()
        await _sleep_until(scenario.duration)
        await stage.daemon.kill()
        for task in living:
            task.cancel()
    return stage.recording


def _timeline(
    scenario: Scenario, stage: Stage, tasks: asyncio.TaskGroup
) -> list[tuple[float, _Deed]]:
    """Everything that happens, in order of time; what comes at one time, in the file's order."""
    deeds: list[tuple[float, _Deed]] = [
        (guest.appears, partial(stage.appear, guest, tasks))
        for guest in scenario.guest
        if guest.appears is not None
    ]
    deeds += [
        (at_s, partial(stage.happen, happening, tasks))
        for happening in scenario.at
        for at_s in happening.times_s(scenario.duration)
    ]
    return sorted(deeds, key=lambda deed: deed[0])


async def _look(stage: Stage) -> None:
    while True:
        stage.look()
        await asyncio.sleep(_LOOK_EVERY_S)


async def _sleep_until(at_s: float) -> None:
    await asyncio.sleep(max(0.0, at_s - asyncio.get_running_loop().time()))
