"""The cases of the contract, in the order in which the files write them."""

from collections.abc import Awaitable, Callable

from drivers.contract.rig import Case, Rig

Play = Callable[[Rig], Awaitable[None]]


class Cases:
    """A list of cases that a decorator fills."""

    def __init__(self) -> None:
        self.all: list[Case] = []

    def __call__(self, play: Play) -> Play:
        """Add a case; its docstring's first line is the promise."""
        assert play.__doc__ is not None, f"{play.__name__} promises nothing"
        name = play.__name__.replace("_", "-")
        self.all.append(Case(name=name, promise=play.__doc__.splitlines()[0], play=play))
        return play
