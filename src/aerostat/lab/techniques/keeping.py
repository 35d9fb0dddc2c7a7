"""Work that goes on beside an arm: its failure is the arm's, and its end never keeps a tidy-up."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Coroutine
from typing import Any


@contextlib.asynccontextmanager
async def going_on(work: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    """Let ``work``, which never ends by itself, go on inside the block.

    Raises:
        Exception: what the work failed with, when the block is over, unless that failed itself.
    """
    task = asyncio.create_task(work)
    try:
        yield
    except BaseException:
        await _ended(task)
        raise
    if (failure := await _ended(task)) is not None:
        raise failure


async def _ended(task: "asyncio.Task[None]") -> BaseException | None:
    task.cancel()
    await asyncio.wait([task])
    return None if task.cancelled() else task.exception()
