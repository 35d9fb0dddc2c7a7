"""Which VM answers to which id: the first to claim an id keeps it, so that two are never mixed."""

from pathlib import Path

from aerostat.model.guest import GuestId


class Registry:
    """Claims of VMs, each known by its monitor's socket, to guest ids."""

    def __init__(self) -> None:
        self._claims: dict[GuestId, list[Path]] = {}

    def claim(self, guest: GuestId, path: Path) -> bool:
        """Ask for an id. True: it is held. False: another VM holds it, and this one waits."""
        claimants = self._claims.setdefault(guest, [])
        if path not in claimants:
            claimants.append(path)
        return claimants[0] == path

    def release(self, guest: GuestId, path: Path) -> Path | None:
        """Give up a claim; returns the VM that holds the id from now on because of that."""
        claimants = self._claims.get(guest, [])
        was_holder = bool(claimants) and claimants[0] == path
        if path in claimants:
            claimants.remove(path)
        if not claimants:
            self._claims.pop(guest, None)
        return claimants[0] if was_holder and claimants else None

    def holder(self, guest: GuestId) -> Path | None:
        """The VM that answers to the id; None: nobody claims it."""
        claimants = self._claims.get(guest)
        return claimants[0] if claimants else None

    def holds(self, guest: GuestId, path: Path) -> bool:
        """Whether this VM is the one that answers to the id."""
        holder = self.holder(guest)
        return holder is path or holder == path  # mostly the very same object: quick to see

    def rivals(self, guest: GuestId, path: Path) -> tuple[Path, ...]:
        """All other VMs that claim this id."""
        claimants = self._claims.get(guest, [])
        if len(claimants) == 1 and claimants[0] is path:  # as nearly always: quick to see
            return ()
        return tuple(claimant for claimant in claimants if claimant != path)
