"""What operators ordered outlives the daemon: a hold that an upgrade forgot would be a trap."""

import contextlib
import json
import os
import queue
import threading
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import structlog

from aerostat.control.board import Status
from aerostat.control.orders import OrderBook, Ordered
from aerostat.model.guest import GuestId
from aerostat.model.limits import Amount
from aerostat.model.orders import GuestOrder, Standing
from aerostat.ports.clock import Clock

SCHEMA = "aerostat.orders/1"


class OrdersFile:
    """Follows a status board; a thread of its own writes, so that no round waits for a disk."""

    def __init__(self, path: Path, clock: Clock) -> None:
        self._path = path
        self._clock = clock
        self._shown: OrderBook | None = None
        self._waiting: queue.SimpleQueue[OrderBook | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._write_all, name="orders", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._waiting.put(None)
        self._thread.join(1.0)

    def read(self) -> OrderBook:
        """What still stands; nothing, said in the log, where the file cannot be read."""
        try:
            text = self._path.read_text("utf-8")
        except FileNotFoundError:
            return OrderBook()
        except OSError as error:
            return self._unread(str(error))
        try:
            return self._book(json.loads(text)).at(self._clock.now_s())
        except (ValueError, KeyError, TypeError, AttributeError, AssertionError) as error:
            self._move_aside()
            return self._unread(f"{type(error).__name__}: {error}")

    def follow(self, status: Status) -> None:
        """Have a book written that is another one than before."""
        if status.orders is self._shown:
            return
        is_first, self._shown = self._shown is None, status.orders
        if not is_first:
            self._waiting.put(status.orders)

    def _move_aside(self) -> None:
        """What was ordered is in it, for whoever can read it: it is not written over."""
        aside = self._path.with_name(f"{self._path.name}.unread")
        with contextlib.suppress(OSError):
            self._path.replace(aside)
            structlog.get_logger().error("orders_moved_aside", path=str(aside))

    def _unread(self, detail: str) -> OrderBook:
        structlog.get_logger().error("orders_unread", path=str(self._path), detail=detail)
        return OrderBook()

    def _book(self, document: Any) -> OrderBook:
        if document["schema"] != SCHEMA:
            raise ValueError(f"{document['schema']!r} is not {SCHEMA}")
        ordered = [self._ordered(row) for row in document["orders"]]
        return OrderBook(standing={one.order.guest: one for one in ordered})

    def _ordered(self, row: Any) -> Ordered:
        standing, until = row.get("standing"), row.get("until_wall_s")
        order = GuestOrder(
            guest=GuestId(str(row["guest"])),
            minimum=_amount(row.get("min")),
            maximum=_amount(row.get("max")),
            weight=row.get("weight"),
            standing=None if standing is None else Standing(standing),
        )
        left_s = None if until is None else float(until) - self._clock.wall_s()
        until_s = None if left_s is None else self._clock.now_s() + left_s
        who = str(row.get("who", ""))
        limits_who = str(row.get("limits_who", who))  # a file of an older release has one for both
        return Ordered(order=order, until_s=until_s, who=who, limits_who=limits_who)

    def _write_all(self) -> None:
        is_troubled = False
        while (book := self._waiting.get()) is not None:
            try:
                self._write(book)
                is_troubled = False
            except OSError as error:
                if not is_troubled:
                    is_troubled = True
                    structlog.get_logger().error(
                        "orders_unwritten", path=str(self._path), detail=error.strerror
                    )

    def _write(self, book: OrderBook) -> None:
        """All of it, or nothing: a half-written file would be none."""
        now_s, wall_s = self._clock.now_s(), self._clock.wall_s()
        rows = [_row(ordered, wall_s - now_s) for ordered in book.standing.values()]
        text = json.dumps({"schema": SCHEMA, "orders": rows}, indent=2) + "\n"
        self._path.parent.mkdir(mode=0o750, parents=True, exist_ok=True)
        fresh = self._path.with_name(self._path.name + ".new")
        number = os.open(fresh, os.O_CREAT | os.O_TRUNC | os.O_WRONLY | os.O_CLOEXEC, 0o640)
        with os.fdopen(number, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(self._path)


def _row(ordered: Ordered, wall_of_zero_s: float) -> dict[str, Any]:
    order = ordered.order
    row = {
        "guest": order.guest,
        "min": _plain(order.minimum),
        "max": _plain(order.maximum),
        "weight": order.weight,
        "standing": None if order.standing is None else order.standing.value,
        "until_wall_s": None if ordered.until_s is None else ordered.until_s + wall_of_zero_s,
        "who": ordered.who,
        "limits_who": ordered.limits_who,
    }
    return {key: value for key, value in row.items() if value is not None}


def _plain(amount: Amount | None) -> dict[str, float] | None:
    if amount is None:
        return None
    if amount.size_bytes is not None:
        return {"size_bytes": amount.size_bytes}
    return {"max_ratio": amount.max_ratio or 0.0}


def _amount(row: Any) -> Amount | None:
    if row is None:
        return None
    return Amount(size_bytes=row.get("size_bytes"), max_ratio=row.get("max_ratio"))
