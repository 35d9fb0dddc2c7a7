"""Reads a guest's pressure through its QEMU guest agent: two files of its /proc, nothing else."""

import base64
import binascii
import json
from collections.abc import Callable
from dataclasses import dataclass

from aerostat.drivers.libvirt.errors import CallRefusedError
from aerostat.model.figures import GuestPressure

PRESSURE = "/proc/pressure/memory"
VMSTAT = "/proc/vmstat"
_BYTES_MAX = 65_536
_AGAIN_S = 60.0  # an agent that says no, by its own configuration, is asked again so seldom
_COUNT_MAX = 2**63 - 1
Ask = Callable[[str], str]
"""Sends a command to the agent and returns its untrusted answer."""


@dataclass(slots=True, kw_only=True)
class AgentCalls:
    """When to ask an agent."""

    asked_s: float | None = None
    failure: str | None = None
    rest_until_s: float = 0.0

    def is_due(self, now_s: float, *, period_s: float) -> bool:
        """Whether to ask now; says yes once a period."""
        if now_s < self.rest_until_s or (
            self.asked_s is not None and now_s - self.asked_s < period_s
        ):
            return False
        self.asked_s = now_s
        return True

    def answered(self) -> None:
        """It answered."""
        self.failure = None

    def failed(self, failure: str, now_s: float) -> None:
        """It did not, or said no."""
        self.failure = failure
        self.rest_until_s = now_s + _AGAIN_S


def read_pressure(ask: Ask, *, wall_s: Callable[[], float]) -> GuestPressure:
    """Read what the guest's kernel says of its pressure; blocks.

    Raises:
        CallRefusedError: the agent may not read files, or the guest's kernel has no such file.
    """
    some_s, full_s = parse_pressure(read_file(ask, PRESSURE))
    refaults = parse_refaults(read_file(ask, VMSTAT))
    return GuestPressure(
        sampled_wall_s=wall_s(),
        age_s=0.0,
        some_total_s=some_s,
        full_total_s=full_s,
        refaults=refaults,
    )


def parse_pressure(untrusted: str) -> tuple[float | None, float | None]:
    """Seconds of "some" and "full" from the text of /proc/pressure/memory."""
    totals: dict[str, float] = {}
    for line in untrusted.splitlines():
        word, _, rest = line.partition(" ")
        _, found, total_us = rest.partition("total=")
        if found and _is_count(total_us):
            totals[word] = int(total_us) / 1e6
    return totals.get("some"), totals.get("full")


def parse_refaults(untrusted: str) -> int | None:
    """Pages of cache that were missed, from the text of /proc/vmstat."""
    for line in untrusted.splitlines():
        name, _, count = line.partition(" ")
        if name == "workingset_refault_file" and _is_count(count):
            return int(count)
    return None


def _is_count(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) < 20 and int(text) <= _COUNT_MAX


def read_file(ask: Ask, path: str) -> str:
    """A small file of the guest's; blocks.

    Raises:
        CallRefusedError: the agent may not read files, or there is no such file.
    """
    handle = _return(ask(_command("guest-file-open", path=path, mode="r")))
    if not isinstance(handle, int) or isinstance(handle, bool):
        raise CallRefusedError(0, "the guest agent's answer to guest-file-open is no handle")
    try:
        read = _return(ask(_command("guest-file-read", handle=handle, count=_BYTES_MAX)))
    finally:
        ask(_command("guest-file-close", handle=handle))
    encoded = read.get("buf-b64") if isinstance(read, dict) else None
    try:
        return base64.b64decode(encoded or "", validate=True).decode("ascii", "replace")
    except (binascii.Error, ValueError, TypeError) as error:
        raise CallRefusedError(0, "the guest agent's answer is not base64") from error


def _command(name: str, **arguments: object) -> str:
    return json.dumps({"execute": name, "arguments": arguments})


def _return(untrusted: str) -> object:
    try:
        answer = json.loads(untrusted)
    except (ValueError, RecursionError) as error:
        raise CallRefusedError(0, "the guest agent's answer is not JSON") from error
    if not isinstance(answer, dict) or "return" not in answer:
        raise CallRefusedError(0, "the guest agent's answer has no return")
    found: object = answer["return"]
    return found
