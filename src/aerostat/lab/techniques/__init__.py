"""``aerostat lab techniques``: ballooning, swap, compression and deduplication on the same guests.

Every arm runs the same schedule with the same memory of the host, measured the same way: what the
guests' memory cgroup is charged with, plus what compressed pools hold beside it.
"""
