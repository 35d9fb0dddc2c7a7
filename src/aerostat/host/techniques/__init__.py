"""The other three ways a host takes memory back: compression, deduplication, its own swap.

One file a technique. Each says whether it is usable here and why not (``probe``), what it saves
and costs now (``read``), brings about a declared state (``apply``), and puts back exactly what was
there before (``restore``), also after a crash: ``undo_log`` holds what to put back before anything
changes.
"""
