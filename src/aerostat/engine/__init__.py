"""The decision: ``step(state, snapshot, events, params) -> Step``; pure, deterministic, no I/O."""
