"""Carry out a plan: one command a guest at a time, every ending reported as an event."""

import asyncio

from aerostat.control.inbox import Inbox
from aerostat.model.events import Outcome, TargetAnswered
from aerostat.model.guest import GuestId
from aerostat.model.plan import Plan, TargetChange
from aerostat.ports.driver import HypervisorDriver
from aerostat.ports.errors import (
    DriverRefusedError,
    DriverUnavailableError,
    GuestGoneError,
    OutcomeUnknownError,
)

SEND_DEADLINE_S = 0.2
"""A round waits so long for its commands to be taken; slower ones end in a later round."""


class Applier:
    """Sends targets; a guest whose last command is still under way gets no second one."""

    def __init__(self, driver: HypervisorDriver, inbox: Inbox) -> None:
        self._driver = driver
        self._inbox = inbox
        self._commands: dict[GuestId, asyncio.Task[None]] = {}

    async def apply(self, plan: Plan, tasks: asyncio.TaskGroup) -> None:
        """Send the plan's commands, in its order, each guest on its own.

        Commands from earlier rounds are not waited for again: they have had their time.
        """
        self._commands = {g: task for g, task in self._commands.items() if not task.done()}
        sent: dict[asyncio.Task[None], TargetChange] = {}
        for change in plan.changes:
            if change.guest not in self._commands:
                self._commands[change.guest] = tasks.create_task(self._send(change))
                sent[self._commands[change.guest]] = change
        if not sent:
            return
        await asyncio.wait(sent, timeout=SEND_DEADLINE_S)
        for task, change in sent.items():
            if not task.done():
                # It may have arrived: until the answer comes, what it asks for counts as given.
                self._answer(change, Outcome.UNKNOWN, "no answer yet")

    async def settle(self) -> None:
        """Give commands that are under way one more chance to end."""
        if self._commands:
            await asyncio.wait(self._commands.values(), timeout=SEND_DEADLINE_S)

    def abandon(self) -> None:
        """Stop waiting for commands that are still under way."""
        for task in self._commands.values():
            task.cancel()
        self._commands.clear()

    async def _send(self, change: TargetChange) -> None:
        outcome, detail = Outcome.ACCEPTED, ""
        try:
            await self._driver.set_target(change.guest, target_bytes=change.target_bytes)
        except OutcomeUnknownError as error:
            outcome, detail = Outcome.UNKNOWN, error.detail
        except (DriverRefusedError, DriverUnavailableError, GuestGoneError) as error:
            outcome, detail = Outcome.REFUSED, error.detail
        except Exception as error:  # noqa: BLE001 # one command's surprise must not end the loop
            # It may or may not have been sent: the guest is read again before anything else.
            outcome, detail = Outcome.UNKNOWN, f"unexpected {type(error).__name__}: {error}"
        self._answer(change, outcome, detail)

    def _answer(self, change: TargetChange, outcome: Outcome, detail: str) -> None:
        self._inbox.put(
            TargetAnswered(
                guest=change.guest,
                target_bytes=change.target_bytes,
                outcome=outcome,
                detail=detail,
            )
        )
