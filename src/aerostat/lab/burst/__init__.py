"""``aerostat lab bench --burst``: how soon a guest gets memory whose working set suddenly grows."""

from aerostat.lab.burst.document import burst_document
from aerostat.lab.burst.run import measure_bursts
from aerostat.lab.burst.table import burst_table

__all__ = ["burst_document", "burst_table", "measure_bursts"]
