"""Carries out what a round orders of the host itself; what came of it goes to the inbox."""

import asyncio
from collections.abc import Awaitable

from aerostat.control.inbox import Inbox
from aerostat.model.events import HOST_ITSELF, TechniqueAct, TechniqueUsed
from aerostat.model.host_state import LadderStep
from aerostat.model.techniques import HostTake, TechniqueOrders
from aerostat.ports.errors import AerostatError
from aerostat.ports.techniques import HostTechniques

SETTLE_S = 10.0
"""A stop waits so long for the order under way; the rest is not begun."""


class TechniqueRunner:
    """Works through orders one after the other, aside: a round never waits for them."""

    def __init__(self, techniques: HostTechniques, inbox: Inbox) -> None:
        self._techniques = techniques
        self._inbox = inbox
        self._work: asyncio.Task[None] | None = None
        self._is_stopping = False

    def carry_out(self, orders: TechniqueOrders, tasks: asyncio.TaskGroup) -> None:
        """Begin with a round's orders; the engine gives none while earlier ones are under way."""
        if not orders or self._is_stopping:
            return
        assert self._work is None or self._work.done(), "orders while others are under way"
        self._work = tasks.create_task(self._all(orders))

    async def finish(self) -> None:
        """Begin nothing more, and wait a while for what is under way."""
        self._is_stopping = True
        if self._work is not None and not self._work.done():
            await asyncio.wait([self._work], timeout=SETTLE_S)
            self._work.cancel()

    async def _all(self, orders: TechniqueOrders) -> None:
        for step in orders.put_back:
            await self._switch(step, TechniqueAct.PUT_BACK, self._put_back(step))
        for step in orders.switch_on:
            on = self._techniques.switch_on(step, orders.spared)
            await self._switch(step, TechniqueAct.SWITCHED_ON, on)
        for take in orders.takes:
            await self._take(take)

    async def _put_back(self, step: LadderStep) -> str:
        return "; ".join(await self._techniques.put_back(step))

    async def _switch(self, step: LadderStep, act: TechniqueAct, doing: Awaitable[str]) -> None:
        if self._is_stopping:
            return
        try:
            detail = await doing
        except Exception as error:  # noqa: BLE001 # one order's surprise must not end the loop
            act, detail = TechniqueAct.FAILED, _words(error)
        self._inbox.put(TechniqueUsed(guest=HOST_ITSELF, step=step, act=act, detail=detail))

    async def _take(self, take: HostTake) -> None:
        if self._is_stopping:
            return
        try:
            taken = await self._techniques.take(take)
        except Exception as error:  # noqa: BLE001 # as above
            told = TechniqueUsed(
                guest=take.guest,
                step=take.step,
                act=TechniqueAct.FAILED,
                asked_bytes=take.size_bytes,
                detail=_words(error),
            )
        else:
            told = TechniqueUsed(
                guest=take.guest,
                step=take.step,
                act=TechniqueAct.TOOK,
                asked_bytes=take.size_bytes,
                taken_bytes=taken.taken_bytes,
                took_s=taken.took_s,
                detail=taken.how,
            )
        self._inbox.put(told)


def _words(error: Exception) -> str:
    known = isinstance(error, AerostatError)
    return str(error) if known else f"unexpected {type(error).__name__}: {error}"
