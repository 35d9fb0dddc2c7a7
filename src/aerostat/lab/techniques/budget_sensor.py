"""The host as the guests of an arm are to see it: as big as the budget, and no bigger."""

from collections.abc import Callable

from aerostat.model.host import HostMemory
from aerostat.ports.sensor import HostSensor


class BudgetSensor:
    """The real host's sensor, or a host whose whole RAM is the budget.

    A ladder starts as the host runs short. On a big machine an experiment's budget is not the
    machine's RAM, so the balancer is shown a host of the budget's size.
    """

    def __init__(self, real: HostSensor) -> None:
        self._real = real
        self._held: Callable[[], int] | None = None
        self._budget_bytes = 0

    def show_budget(self, budget_bytes: int, held: Callable[[], int]) -> None:
        """From now on show a host of this size, of which ``held()`` is in use."""
        self._budget_bytes, self._held = budget_bytes, held

    def show_all(self) -> None:
        """Show the real host again."""
        self._held = None

    def read(self) -> HostMemory:
        """Read now.

        Raises:
            SensorError: the host could not be read.
        """
        memory = self._real.read()
        if self._held is None:
            return memory
        left = max(0, self._budget_bytes - self._held())
        return HostMemory(
            total_bytes=self._budget_bytes,
            available_bytes=left,
            free_bytes=left,
            cache_bytes=0,
            swap_total_bytes=memory.swap_total_bytes,
            swap_free_bytes=memory.swap_free_bytes,
            swap_in_bytes=memory.swap_in_bytes,
            swap_out_bytes=memory.swap_out_bytes,
            revocable_bytes=memory.revocable_bytes,
            pressure_some_total_s=memory.pressure_some_total_s,
            pressure_full_total_s=memory.pressure_full_total_s,
        )
