"""Least squares by Levenberg and Marquardt's method, over the logarithms of positive numbers."""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

Vector = npt.NDArray[np.float64]

_STEP = 0.03
"""Of a logarithm, for slopes: a simulated guest's answers are not smooth at less."""
_FACTOR_MAX = 64.0
"""No number ends further from where it started than by this factor."""
_DAMPING_MAX = 1e6
_GAIN_MIN = 1e-4
"""Of the sum of squares: with less in a round, it is done."""


def fit(
    residuals: Callable[[Vector], Vector], start: Vector, *, rounds: int = 12
) -> tuple[Vector, float]:
    """Find the numbers for which the sum of squared residuals is least.

    Args:
        residuals: of numbers, in any units of the caller's choice.
        start: where to begin; all above 0.
        rounds: how many slopes are taken at most.

    Returns:
        The numbers, and the root of the mean square that is left.
    """
    origin = np.log(start)
    at = origin.copy()
    left = residuals(np.exp(at))
    damping = 1e-2
    for _ in range(rounds):
        slopes = np.empty((len(left), len(at)))
        for i in range(len(at)):
            moved = at.copy()
            moved[i] += _STEP
            slopes[:, i] = (residuals(np.exp(moved)) - left) / _STEP
        better, damping = _better(residuals, (origin, at), (slopes, left), damping)
        if better is None:
            break
        at, tried = better
        gained = 1.0 - (tried @ tried) / (left @ left)
        left, damping = tried, max(damping / 4, 1e-6)
        if gained < _GAIN_MIN:
            break
    return np.exp(at), float(np.sqrt(left @ left / len(left)))


def _better(
    residuals: Callable[[Vector], Vector],
    places: tuple[Vector, Vector],
    slopes_and_left: tuple[Vector, Vector],
    damping: float,
) -> tuple[tuple[Vector, Vector] | None, float]:
    """The first step downhill, shorter and shorter ones tried; and the damping it took."""
    origin, at = places
    slopes, left = slopes_and_left
    normal = slopes.T @ slopes
    bound = np.log(_FACTOR_MAX)
    while damping < _DAMPING_MAX:
        scaled = normal + damping * np.diag(np.maximum(np.diag(normal), 1e-12))
        step = np.clip(np.linalg.solve(scaled, -slopes.T @ left), -0.5, 0.5)
        candidate = np.clip(at + step, origin - bound, origin + bound)
        tried = residuals(np.exp(candidate))
        if tried @ tried < left @ left:
            return (candidate, tried), damping
        damping *= 4
    return None, damping
