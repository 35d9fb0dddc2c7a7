"""When a VM need not be asked again: its guest cannot have said anything new yet.

A guest's driver reports at a period. Once a new sample has been seen, the next cannot come before
that period is over; a round in between would ask for what is known. The sample was not there when
the VM was asked before, so it came after that moment: from then the period counts, and no sample is
seen later than it would be by asking in every round. Whatever happens meanwhile (an event, a
target, a balloon that moves) ends the rest.
"""

from aerostat.model.guest import GuestSnapshot, RunState

SLACK_S = 0.1
"""Rounds do not fall on the same instant of each second: so much later is still the same round."""
RESTLESS_S = 2.0
"""For so long after something has happened to a VM it is asked in every round."""


class Rest:
    """What was last read of one VM, and until when that is all there is to know."""

    def __init__(self) -> None:
        self._read: GuestSnapshot | None = None
        self._read_s = 0.0
        self._until_s = 0.0
        self._sampled_from_s = 0.0  # the last sample came after this moment
        self._restless_until_s = 0.0

    def known(self, now_s: float) -> GuestSnapshot | None:
        """What was read, with its figures as old as they are by now; None: ask."""
        if self._read is None or now_s >= self._until_s or now_s < self._restless_until_s:
            return None
        return self._read.aged(now_s - self._read_s)

    def stir(self, now_s: float) -> None:
        """Something has happened to it, or is about to; its guest may report at other moments."""
        self._restless_until_s = now_s + RESTLESS_S
        self._sampled_from_s = 0.0

    def forget(self) -> None:
        """It is another VM, or another connection: nothing is known of it."""
        self._read = None
        self._until_s = 0.0

    def note(self, read: GuestSnapshot, *, asked_s: float, sample_gap_s: float) -> None:
        """Take what was read.

        Args:
            read: the answer.
            asked_s: when it was asked.
            sample_gap_s: no sample comes sooner than so long after the one before; 0: not known.
        """
        before, before_s = self._read, self._read_s
        self._read, self._read_s, self._until_s = read, asked_s, 0.0
        if before is None or sample_gap_s <= 0:
            return
        if before.actual_bytes != read.actual_bytes:
            self.stir(asked_s)
        if _is_settled(read) and _stamp(before) != _stamp(read):
            follows_s = self._sampled_from_s + sample_gap_s
            self._sampled_from_s = follows_s if before_s < follows_s <= asked_s else before_s
            self._until_s = self._sampled_from_s + sample_gap_s + SLACK_S


def _stamp(snapshot: GuestSnapshot) -> float:
    return 0.0 if snapshot.statistics is None else snapshot.statistics.sampled_wall_s


def _is_settled(snapshot: GuestSnapshot) -> bool:
    return (
        snapshot.run_state is RunState.RUNNING
        and not snapshot.is_backing_up
        and snapshot.trouble is None
        and snapshot.pressure is None  # an agent in the guest tells things at any moment
        and _stamp(snapshot) > 0
    )
