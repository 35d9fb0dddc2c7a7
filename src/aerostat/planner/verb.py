"""What ``aerostat plan`` needs of this package, imported in one go when it runs."""

from aerostat.planner import document, page, plan, question, source
from aerostat.sim import workers

__all__ = ["document", "page", "plan", "question", "source", "workers"]
