"""What the daemon may do, and what it does when it stops."""

from enum import StrEnum


class Mode(StrEnum):
    """How far the daemon goes."""

    OBSERVE = "observe"  # watch only: nothing in a VM is changed, no plan is announced
    RECOMMEND = "recommend"  # say what it would do
    ENFORCE = "enforce"  # do it


class OnStop(StrEnum):
    """What becomes of the balloons when the daemon stops cleanly."""

    LEAVE = "leave"  # targets stay as they are
    RELEASE = "release"  # every managed guest gets its max back, as far as the host has it
