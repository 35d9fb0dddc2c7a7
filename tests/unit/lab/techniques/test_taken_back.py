"""What an arm has taken back, by what guests with all their memory cost."""

from aerostat.lab.recording import ArmRecording, ArmSecond
from aerostat.lab.techniques.taken_back import with_taken_back
from aerostat.units import MIB


def arm(technique: str | None, held_mib: int, *, why_invalid: str | None = None) -> ArmRecording:
    second = ArmSecond(elapsed_s=1.0, guests={}, host_held_bytes=held_mib * MIB)
    return ArmRecording(
        policy="unconstrained",
        technique=technique,
        repeat=1,
        budget_bytes=None,
        phases=(),
        seconds=(second,),
        why_invalid=why_invalid,
    )


def test_it_is_the_difference_to_the_mean_of_the_references() -> None:
    disturbed = arm(None, 9000, why_invalid="others kept 1.20 cores busy meanwhile")
    arms = with_taken_back([arm(None, 1000), disturbed, arm(None, 1200), arm("zswap", 800)])
    assert [one.taken_back_bytes for one in arms] == [None, None, None, 300 * MIB]


def test_without_a_reference_nobody_knows() -> None:
    assert with_taken_back([arm("zswap", 800)])[0].taken_back_bytes is None
