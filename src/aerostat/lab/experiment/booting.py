"""Pictures from the first second on, while guests are still being prepared."""

import asyncio
import time
from dataclasses import dataclass, field

from aerostat.lab.experiment.arm import FRAME_S
from aerostat.lab.experiment.comparison import OnPicture
from aerostat.lab.live import LivePicture


@dataclass(slots=True)
class BootProgress:
    """Pictures from the first second on, while nothing runs yet."""

    on_picture: OnPicture
    words: str = "starting"
    _started_s: float = field(default_factory=time.monotonic)

    def tell(self, words: str) -> None:
        """Say what is being done now."""
        self.words = words

    @property
    def elapsed_s(self) -> float:
        """Seconds since the start."""
        return time.monotonic() - self._started_s

    async def show(self) -> None:
        """Keep the picture fresh until cancelled."""
        while True:
            self.on_picture(
                LivePicture(title="Aerostat demo", arm=self.words, elapsed_s=self.elapsed_s)
            )
            await asyncio.sleep(FRAME_S)
