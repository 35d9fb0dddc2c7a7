"""What the stream keeps for clients that come back: what happened, and nothing else of a round."""

import asyncio
import json
import pickle

from aerostat.api.stream import Stream
from aerostat.control.board import Status
from simulated_daemon import simulated_rounds


def test_it_keeps_no_rounds_and_tells_all_that_happened() -> None:
    """A thousand whole rounds of 200 VMs would be half a gigabyte."""
    rounds = simulated_rounds(60.0, guests=20, is_eventful=False)
    stream = Stream()
    for record in rounds:
        stream.follow(Status(last=record))
    changes = [
        (change.guest, change.target_bytes) for record in rounds for change in record.plan.changes
    ]
    assert changes, "something is decided in these rounds"
    kept = list(stream._kept)
    assert len(kept) < len(rounds), "rounds in which nothing happened are not kept"
    per_change = len(pickle.dumps(kept)) / len(changes)
    assert per_change < len(pickle.dumps(rounds[-1])) / 4

    async def told(count: int) -> list[tuple[str, int]]:
        found: list[tuple[str, int]] = []
        async for message in stream.messages(after=0):
            if "event: happened" in message:
                line = json.loads(message.partition("data: ")[2])
                found += [(line["id"], line["target_bytes"])] if line["kind"] == "target" else []
            if len(found) == count:
                break
        return found

    assert asyncio.run(asyncio.wait_for(told(len(changes)), 60)) == changes
