"""Several journals behind the one port; what happens to one is nothing to the others."""

from collections.abc import Sequence

from aerostat.ports.journal import Journal, RoundRecord


class Journals:
    """Passes every round to all of them."""

    def __init__(self, journals: Sequence[Journal]) -> None:
        self._journals = tuple(journals)

    def record(self, record: RoundRecord) -> None:
        """Give a round to every journal, then say which of them failed.

        Raises:
            ExceptionGroup: what went wrong, after every journal has had the round.
        """
        failures: list[Exception] = []
        for journal in self._journals:
            try:
                journal.record(record)
            except Exception as error:  # noqa: BLE001 # one journal must not cost another its round
                failures.append(error)
        if failures:
            told = "; ".join(f"{type(error).__name__}: {error}" for error in failures)
            raise ExceptionGroup(told, failures)
