"""One deadline for many operations: they share a timer.

``asyncio.timeout`` sets a timer for each and takes it down again, for hundreds of questions a
second that are answered within milliseconds. With one length for all, who began first is first to
be overdue, and only that one has to be waited for.
"""

import asyncio
from collections import deque
from types import TracebackType


class Limited:
    """One operation of the task that enters it."""

    __slots__ = ("_cancelling", "_deadline", "_has_expired", "_task", "due_s")

    def __init__(self, deadline: "Deadline") -> None:
        self._deadline = deadline
        self._task: asyncio.Task[object] | None = None
        self._cancelling = 0
        self._has_expired = False
        self.due_s = 0.0

    @property
    def is_over(self) -> bool:
        """Whether it has ended, one way or the other."""
        return self._task is None

    def __enter__(self) -> None:
        task = asyncio.current_task()
        assert task is not None, "only a task can be ended"
        self._task, self._cancelling = task, task.cancelling()
        self._deadline.begin(self)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        task, self._task = self._task, None
        if self._has_expired and task is not None:
            # As asyncio.timeout has it: somebody else may have cancelled the task as well.
            is_ours = task.uncancel() <= self._cancelling
            if is_ours and kind is asyncio.CancelledError:
                raise TimeoutError from error

    def expire(self) -> None:
        """It has taken too long."""
        if self._task is not None:
            self._has_expired = True
            self._task.cancel()


class Deadline:
    """How long each operation may take.

    Args:
        limit_s: so long; then it ends with a ``TimeoutError``.
    """

    def __init__(self, limit_s: float) -> None:
        self._limit_s = limit_s
        self._begun: deque[Limited] = deque()  # in the order in which they are due
        self._timer: asyncio.TimerHandle | None = None

    def limit(self) -> Limited:
        """For the length of a ``with`` block in a task."""
        return Limited(self)

    def begin(self, limited: Limited) -> None:
        """Count from now."""
        loop = asyncio.get_running_loop()
        limited.due_s = loop.time() + self._limit_s
        self._begun.append(limited)
        self._drop_the_ended()
        if self._timer is None:
            self._timer = loop.call_at(self._begun[0].due_s, self._look)

    def _drop_the_ended(self) -> None:
        while self._begun and self._begun[0].is_over:
            self._begun.popleft()

    def _look(self) -> None:
        """End who is overdue, and wait for the next one."""
        loop = asyncio.get_running_loop()
        self._timer = None
        while self._begun and (self._begun[0].is_over or self._begun[0].due_s <= loop.time()):
            self._begun.popleft().expire()
        if self._begun:
            self._timer = loop.call_at(self._begun[0].due_s, self._look)
