"""``aerostat lab bench --mechanism``: what ballooning itself costs, on guests of this machine."""

from aerostat.lab.mechanism.document import mechanism_document
from aerostat.lab.mechanism.run import measure_mechanism
from aerostat.lab.mechanism.table import mechanism_table

__all__ = ["measure_mechanism", "mechanism_document", "mechanism_table"]
