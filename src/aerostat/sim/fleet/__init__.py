"""Whole fleets over columns: demand, balloons, swap, scores: plain loops that Numba compiles."""
