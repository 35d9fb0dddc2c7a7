"""``aerostat top``: the running daemon's picture in a terminal, and what can be said to it."""
