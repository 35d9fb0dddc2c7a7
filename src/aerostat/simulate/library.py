"""What the command line needs, in one import: all of it takes the extra ``[sim]``."""

from aerostat.sim.cluster import cluster_at
from aerostat.sim.fleet.full.build import FullPhysics
from aerostat.sim.trace.trace import Reading
from aerostat.sim.workers import crew_of
from aerostat.simulate.contest import run_contest
from aerostat.simulate.document import contest_document
from aerostat.simulate.record import recorded_job, write_recording
from aerostat.simulate.report import write_report
from aerostat.simulate.table import contest_table
from aerostat.simulate.worlds import Settings, with_constants, worlds_of

__all__ = [
    "FullPhysics",
    "Reading",
    "Settings",
    "cluster_at",
    "contest_document",
    "contest_table",
    "crew_of",
    "recorded_job",
    "run_contest",
    "with_constants",
    "worlds_of",
    "write_recording",
    "write_report",
]
