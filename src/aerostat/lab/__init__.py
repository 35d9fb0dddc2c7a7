"""Real guests: their image, how they boot, what they run, and experiments on them."""
