"""Whether what the daemon does has any effect: a daemon that does nothing must not be silent."""

from enum import StrEnum


class Effect(StrEnum):
    """What the daemon finds about itself. Values are stable."""

    WORKING = "working"  # or nothing had to be done
    ORDERS_MOVE_NOTHING = "orders_move_nothing"  # targets are sent, and no memory moves
    NOTHING_IS_ORDERED = "nothing_is_ordered"  # the host is short, and no target is sent
