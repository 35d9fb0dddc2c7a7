"""How long tests wait for what must happen. It costs only where it never does."""

PATIENCE_S = 240.0
"""For one thing that a process or a real guest does, on a machine that others keep busy."""

REAL_GUESTS_S = 1200.0
"""For a whole test on real guests."""
