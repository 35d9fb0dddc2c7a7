"""The tape: every round in full, as the engine took and left it, so that it can be decided again.

What the rest of the store keeps is thinned and serves people; a tape serves ``aerostat replay``.
"""
