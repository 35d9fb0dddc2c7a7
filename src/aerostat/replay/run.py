"""A whole replay: one pass over the recording, and the simulator after it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from aerostat.engine.params import EngineParams
from aerostat.policy.params import PolicyName
from aerostat.replay.advised import Advice, Advises
from aerostat.replay.again import DecidesAgain, Reproduction
from aerostat.replay.alternatives import Alternative, AlternativeError
from aerostat.replay.demand import SeesDemand
from aerostat.replay.lived import Lived, LivedWorld, live, world_of
from aerostat.store.recording import RecordingReader


@dataclass(frozen=True, slots=True, kw_only=True)
class Replay:
    """What came of it."""

    reproduction: Reproduction
    advice: tuple[Advice, ...]
    world: LivedWorld | None  # None: no closed loop was asked for
    lived: tuple[Lived, ...]  # the one in force first


def replay(
    recording: RecordingReader,
    alternatives: Sequence[Alternative],
    *,
    is_open: bool = True,
    is_closed: bool = True,
    told: Callable[[int], None] | None = None,
) -> Replay:
    """Decide a recording again, and try alternatives on it.

    Args:
        recording: in full.
        alternatives: what to try.
        is_open: ask them in every round what they would have done there.
        is_closed: let the simulator live through the recorded demand under each of them.
        told: is told how many rounds are done.

    Raises:
        AlternativeError, ConfigError: an alternative cannot be tried on this recording.
        StoreError: the recording cannot be read, or is thinned.
    """
    if not recording.header.is_full:
        raise AlternativeError(
            f"{recording.path}: it is thinned: rounds are missing, and with them what would decide "
            "the others again; `aerostat plan` reads it, and `aerostat run --record 1h` keeps all"
        )
    sessions = recording.header.sessions
    again = DecidesAgain()
    asked = [Advises(one, sessions) for one in alternatives if is_open and _can_advise(one)]
    seen = SeesDemand()
    last_session = 0
    for part in recording.parts():
        steps = again.add(part)
        for one in asked:
            one.add(part, steps)
        seen.add(part)
        last_session = part.session
        if told is not None:
            told(again.found.rounds)
    world: LivedWorld | None = None
    lived: tuple[Lived, ...] = ()
    if is_closed and alternatives:
        world = world_of(seen.found)
        configuration = sessions[last_session].configuration
        lived = _lived(world, alternatives, configuration)
    return Replay(
        reproduction=again.found,
        advice=tuple(one.found for one in asked),
        world=world,
        lived=lived,
    )


def _can_advise(alternative: Alternative) -> bool:
    # It knows the future, and only a simulated world tells it that.
    return alternative.policy is not PolicyName.CLAIRVOYANT


def _lived(
    world: LivedWorld, alternatives: Sequence[Alternative], configuration: str | None
) -> tuple[Lived, ...]:
    recorded = world.demand.params
    assert recorded is not None, "a full recording says what the engine was told"
    told: list[tuple[EngineParams, Alternative | None]] = [(recorded, None)]
    told += [(one.params(recorded, configuration), one) for one in alternatives]
    return tuple(live(world, params, alternative) for params, alternative in told)
