"""The rules that the checks hold every round to, by number, and what each forbids."""

from typing import Final

ABOVE_MAX: Final = 1
BELOW_MIN: Final = 2
NOT_MOVABLE: Final = 3
OVER_SUPPLY: Final = 4
SHRUNK_IN_DISTRESS: Final = 5
UNBELIEVABLE: Final = 6
SAME_SAMPLE: Final = 7
DISTRESS_UNSERVED: Final = 8
CHURN: Final = 9
NOT_CONVERGED: Final = 10
STARVED: Final = 11
RESTLESS: Final = 12
TAKEN_WHILE_CLOSING: Final = 13
FOUNDED_ON_OLD: Final = 14
TAKEN_AGAINST_ORDERS: Final = 15
TAKEN_WHILE_BACKED_UP: Final = 16
TAKEN_TOGETHER: Final = 17

WORDS: Final = {
    ABOVE_MAX: "a guest was raised above its max",
    BELOW_MIN: "a guest was taken below its min",
    NOT_MOVABLE: "a guest was moved that must not be",
    OVER_SUPPLY: "what was given did not fit what was free",
    SHRUNK_IN_DISTRESS: "memory was taken from a guest in clear distress",
    UNBELIEVABLE: "memory was taken on figures that are absent or old",
    FOUNDED_ON_OLD: "memory was taken on what a guest used long ago",
    TAKEN_AGAINST_ORDERS: "memory was taken from a guest that an operator holds",
    TAKEN_WHILE_BACKED_UP: "memory was taken from a guest whose disks are being copied",
    TAKEN_TOGETHER: "more was taken from all guests at once than a host can follow",
    SAME_SAMPLE: "one sample justified two takes",
    DISTRESS_UNSERVED: "a guest in clear distress was not raised though memory lay free",
    CHURN: "a guest was moved back and forth too much within a minute",
    NOT_CONVERGED: "with the faults gone, a guest did not come to what it gets on a fresh start",
    STARVED: "with the faults gone, a guest lacked memory that others did not use",
    TAKEN_WHILE_CLOSING: "memory was taken from a guest that had been asked to shut down",
    RESTLESS: "with the faults gone and nothing changing, memory kept moving",
}
