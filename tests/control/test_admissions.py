"""VMs to come are let in by the loop: of what is free once, nobody is promised a second time."""

import asyncio

from aerostat.control.orders import Ask
from aerostat.engine.params import EngineParams, HostParams
from aerostat.model.admission import Admission, Verdict
from aerostat.model.events import Command, MemoryReserved, OperatorCommanded
from aerostat.model.guest import GuestId
from aerostat.sim.virtual_time import run_simulated
from aerostat.units import MIB
from control.rig import Rig, balancing, new_rig

AMPLE = EngineParams(host=HostParams(budget_bytes=(3 * 512 + 700) * MIB))
"""Three guests of 512 MiB hold all they have, and 700 MiB are left."""


WANTED = (("a", 400), ("b", 400), ("c", 300), ("d", 10))


def ask(rig: Rig, name: str, mib: int, for_s: float = 60.0) -> Admission:
    answer = rig.loop.take(
        Ask(
            command=Command.ADMIT,
            who="a test",
            guest=GuestId(name),
            size_bytes=mib * MIB,
            for_s=for_s,
            words=f"admit {name}",
        )
    )
    assert answer is not None
    return answer


def test_two_that_ask_at_once_are_not_promised_the_same_memory() -> None:
    async def main() -> tuple[list[Verdict], Rig]:
        async with balancing(new_rig(params=AMPLE)) as rig:
            await asyncio.sleep(10)
            answers = [ask(rig, name, mib) for name, mib in WANTED]
            await asyncio.sleep(1)
        return [answer.verdict for answer in answers], rig

    verdicts, rig = run_simulated(main())
    admitted, refused = Verdict.ADMITTED, Verdict.NO_ROOM
    assert verdicts == [admitted, refused, admitted, refused]
    events = [event for record in rig.rounds.records for event in record.events]
    promised = [event.guest for event in events if isinstance(event, MemoryReserved)]
    assert promised == ["a", "c"]
    told = [event.detail for event in events if isinstance(event, OperatorCommanded)]
    assert told[:2] == ["admit a: admitted", "admit b: no_room"]


def test_a_promise_that_nobody_comes_for_runs_out() -> None:
    async def main() -> list[Verdict]:
        async with balancing(new_rig(params=AMPLE)) as rig:
            await asyncio.sleep(10)
            first = ask(rig, "a", 600, for_s=20.0)
            await asyncio.sleep(10)
            second = ask(rig, "b", 600)
            await asyncio.sleep(15)
            return [first.verdict, second.verdict, ask(rig, "b", 600).verdict]

    verdicts = run_simulated(main())
    assert verdicts == [Verdict.ADMITTED, Verdict.NO_ROOM, Verdict.ADMITTED]


def test_before_the_first_round_nobody_is_let_in() -> None:
    async def main() -> Verdict:
        return ask(new_rig(params=AMPLE), "a", 1).verdict

    assert run_simulated(main()) is Verdict.HOST_UNKNOWN
