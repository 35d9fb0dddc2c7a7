"""What Aerostat's agent in a guest says, where no daemon hears it meanwhile."""

import asyncio
from contextlib import closing

from aerostat.doctor.vm_ports import VmPort
from aerostat.drivers.agent.lines import LINE_BYTES_MAX, AgentViolationError, parse_line
from aerostat.drivers.sockets.errors import SessionError
from aerostat.drivers.sockets.knock import knock

HEAR_S = 2.5
"""It writes its figures every two seconds."""


async def swap_by_agent(port: VmPort | None) -> int | None:
    """How much swap the guest has; None: its agent does not run, or does not say."""
    if port is None or not port.is_open or port.socket is None or port.why_unheard is not None:
        return None
    try:
        connected = knock(port.socket)
    except SessionError:
        return None
    reader, writer = await asyncio.open_unix_connection(sock=connected, limit=LINE_BYTES_MAX)
    with closing(writer):
        try:
            async with asyncio.timeout(HEAR_S):
                return await _swap_in(reader)
        except (TimeoutError, OSError, ValueError):  # silence, an end, a line that is too long
            return None


async def _swap_in(reader: asyncio.StreamReader) -> int | None:
    while untrusted := await reader.readline():
        try:
            line = parse_line(untrusted.rstrip(b"\n"))
        except AgentViolationError:
            continue  # the end of a line whose beginning nobody heard
        if line is not None and line.figures.swap_total_bytes is not None:
            return line.figures.swap_total_bytes
    return None
