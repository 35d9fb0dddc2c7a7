"""The lab's own QMP monitor of a machine, beside the one that the daemon uses."""

import asyncio
import logging
from collections.abc import Mapping
from pathlib import Path

from qemu.qmp import QMPClient, QMPError

from aerostat.lab.machine.errors import MachineError


class LabMonitor:
    """Connects for each command: a lab command is rare, and a held connection has to be watched."""

    def __init__(self, name: str, socket: Path) -> None:
        self._name = name
        self._socket = socket

    async def execute(
        self,
        command: str,
        arguments: Mapping[str, object] | None = None,
        *,
        deadline_s: float = 2.0,
    ) -> object:
        """Run a QMP command and return its result.

        Raises:
            MachineError: QEMU refused it, or did not answer within the deadline.
        """
        # The library logs what it also raises.
        logging.getLogger("qemu.qmp").setLevel(logging.CRITICAL)
        client = QMPClient(self._name)
        try:
            async with asyncio.timeout(deadline_s):
                await client.connect(str(self._socket))
                try:
                    return await client.execute(command, dict(arguments or {}))
                finally:
                    await client.disconnect()
        except (QMPError, OSError, EOFError, TimeoutError) as error:
            raise MachineError(
                f"{self._name}: {command} on the lab's monitor: {error!r}"
            ) from error

    async def status(self) -> str | None:
        """QEMU's run state, such as ``running`` or ``paused``; None: no answer."""
        try:
            answer = await self.execute("query-status")
        except MachineError:
            return None
        return str(answer["status"]) if isinstance(answer, dict) else None
