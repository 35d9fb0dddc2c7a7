"""A simulated guest's figures under the names that an API has for them."""

from collections.abc import Mapping

from aerostat.model.figures import BalloonStatistics


def named(sample: BalloonStatistics, names: Mapping[str, str]) -> dict[str, int]:
    """The figures that the guest has said, by the API's name for each of ours."""
    values = {theirs: getattr(sample, ours) for ours, theirs in names.items()}
    return {name: value for name, value in values.items() if value is not None}
