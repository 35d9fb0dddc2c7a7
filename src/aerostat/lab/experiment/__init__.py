"""Experiments: the same schedule on the same guests, once per arm, recorded second by second."""
