"""The engine under whatever may happen, in any order: a state machine over ``engine.step``.

Simulated guests, no clock, no I/O. What must hold is judged from outside, by the world's truth and
the plan alone (``aerostat.sim.chaos.check``): nothing here calls the engine's own invariants.
"""

import copy
from collections.abc import Sequence

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from aerostat.engine.columns import RUN_RUNNING
from aerostat.engine.params import EngineParams
from aerostat.engine.state import EngineState
from aerostat.engine.step import Step, step
from aerostat.model.events import Event
from aerostat.model.host import HostSnapshot
from aerostat.policy.columns import ABSENT
from aerostat.sim.chaos.asked import AskedEngine
from aerostat.sim.chaos.columns import World, empty_world
from aerostat.sim.chaos.happen import Happening, Kind, happen
from aerostat.sim.chaos.run import violations_of
from aerostat.sim.chaos.words import sentence
from aerostat.units import GIB, MIB

COUNT = 4
TOTAL_BYTES = 2 * GIB
GUEST = st.integers(0, COUNT - 1)
SWITCH = st.sampled_from([0, 1])
SWITCHES = (
    Kind.PAUSE, Kind.MIGRATE, Kind.FREEZE, Kind.STALL, Kind.UNREACHABLE, Kind.HIDE_ACTUAL,
    Kind.REFUSE, Kind.KEEP_TOUCHING, Kind.UNMANAGED,
)  # fmt: skip


def careful_step(
    state: EngineState, snapshot: HostSnapshot, events: Sequence[Event], params: EngineParams
) -> Step:
    """``step``, with a look at what a step must not do: change its input, or decide differently."""
    before = copy.deepcopy(state)
    decided = step(state, snapshot, events, params)
    assert state == before, "a step leaves the state it was given alone"
    again = step(state, snapshot, events, params)
    assert again == decided, "the same state, snapshot and events decide the same"
    return decided


def new_world() -> World:
    """Guests of 256 to 1024 MiB on a host with less RAM than all of them together would like."""
    world = empty_world(COUNT, 1.0)
    for i, max_mib in enumerate((256, 512, 1024, 1024)):
        guests = world.guests
        guests.max_bytes[i] = guests.ceiling_bytes[i] = max_mib * MIB
        guests.min_bytes[i] = max_mib * MIB // 4
        guests.weight[i] = 100
        guests.is_managed[i] = guests.has_balloon[i] = 1
        guests.has_agent[i] = i % 2
        guests.need_bytes[i] = 150 * MIB
        guests.swap_size_bytes[i] = (0 if i == 1 else 1024) * MIB
    host = world.host
    host.total_bytes[0] = TOTAL_BYTES
    host.other_bytes[0] = 400 * MIB
    host.reserve_bytes[0] = TOTAL_BYTES // 10
    host.budget_bytes[0] = ABSENT
    host.is_readable[0] = host.is_enforcing[0] = 1
    return world


class EngineMachine(RuleBasedStateMachine):
    """Things happen, time passes, and after every round all rules still hold."""

    def __init__(self) -> None:
        super().__init__()
        self.world = new_world()
        self.engine = AskedEngine(self.world, decide=careful_step)
        self.events: list[Event] = []
        self.tick = 0
        self.run_then: list[int] = []  # in the last round: what has happened since is not in it

    def let(self, kind: Kind, guest: int = 0, amount: int = 1) -> None:
        """Let something happen before the next round."""
        happening = Happening(tick=self.tick, kind=kind, guest=guest, amount=amount)
        self.events.extend(happen(self.world, happening))

    @initialize(absent=st.sets(GUEST, max_size=2))
    def begin(self, absent: set[int]) -> None:
        for guest in range(COUNT):
            if guest not in absent:
                self.let(Kind.APPEAR, guest)
        self.rounds(20)

    def rounds(self, count: int) -> None:
        """Let time pass, a round a second."""
        for _ in range(count):
            self.run_then = list(self.world.guests.run)
            self.engine.tick(tuple(self.events), self.tick)
            self.events = []
            self.tick += 1

    @rule(count=st.integers(1, 4))
    def moments_pass(self, count: int) -> None:
        self.rounds(count)

    @rule(count=st.integers(10, 40))
    def a_while_passes(self, count: int) -> None:
        """Long enough for grace and back-off to end, and for calm guests to be taken from."""
        self.rounds(count)

    @rule(guest=GUEST, ratio=st.sampled_from([0.2, 0.6, 0.95]), count=st.integers(1, 20))
    def load_comes_and_goes(self, guest: int, ratio: float, count: int) -> None:
        self.let(Kind.NEED, guest, max(80 * MIB, int(ratio * self.world.guests.max_bytes[guest])))
        self.rounds(count)

    @rule(kind=st.sampled_from([Kind.FREEZE, Kind.SILENCE, Kind.UNREACHABLE]), guest=GUEST)
    def figures_stop_while_others_want_memory(self, kind: Kind, guest: int) -> None:
        """A donor goes dumb just when it would be taken from."""
        self.let(kind, guest)
        other = (guest + 1) % COUNT
        self.let(Kind.NEED, other, self.world.guests.max_bytes[other])
        self.rounds(12)

    @rule(guest=GUEST, is_coming=SWITCH)
    def comes_or_goes(self, guest: int, is_coming: int) -> None:
        self.let(Kind.APPEAR if is_coming else Kind.LEAVE, guest)

    @rule(guest=GUEST, ratio=st.floats(0.1, 1.1), cold=st.sampled_from([0.0, 0.0, 0.5]))
    def working_set_jumps(self, guest: int, ratio: float, cold: float) -> None:
        need = max(80 * MIB, int(ratio * self.world.guests.max_bytes[guest]))
        self.let(Kind.NEED, guest, need)
        self.let(Kind.COLD, guest, int(cold * need))

    @rule(guest=GUEST, ratio=st.floats(0, 1))
    def reads_files(self, guest: int, ratio: float) -> None:
        self.let(Kind.FILES, guest, int(ratio * self.world.guests.max_bytes[guest]))

    @rule(guest=GUEST, kind=st.sampled_from(SWITCHES), amount=SWITCH)
    def a_fault_begins_or_ends(self, guest: int, kind: Kind, amount: int) -> None:
        self.let(kind, guest, amount)

    @rule(guest=GUEST, amount=st.sampled_from([0, 1, 2]))
    def figures_vanish(self, guest: int, amount: int) -> None:
        self.let(Kind.SILENCE, guest, amount)

    @rule(guest=GUEST, thousandths=st.sampled_from([ABSENT, 0, 10, 500, 990]))
    def lies_about_what_is_available(self, guest: int, thousandths: int) -> None:
        self.let(Kind.CLAIM, guest, thousandths)

    @rule(guest=GUEST, mib_per_s=st.sampled_from([0, 0, 50]))
    def cries(self, guest: int, mib_per_s: int) -> None:
        self.let(Kind.CRY, guest, mib_per_s * MIB)

    @rule(guest=GUEST, kind=st.sampled_from([Kind.RESET, Kind.COUNTERS_BACK]))
    def starts_over(self, guest: int, kind: Kind) -> None:
        self.let(kind, guest)

    @rule(guest=GUEST, count=st.integers(1, 20))
    def is_asked_to_shut_down_and_does_not(self, guest: int, count: int) -> None:
        self.let(Kind.POWER_BUTTON, guest)
        self.rounds(count)

    @rule(guest=GUEST, outcome=st.sampled_from([0, 1, 2]), delay=st.sampled_from([0, 0, 1, 3]))
    def targets_get_lost(self, guest: int, outcome: int, delay: int) -> None:
        self.let(Kind.LOSE, guest, outcome)
        self.let(Kind.DELAY, guest, delay)

    @rule(guest=GUEST, times=st.sampled_from([1, 10, 300]))
    def balloon_is_slow(self, guest: int, times: int) -> None:
        self.let(Kind.SLOW, guest, times)

    @rule(guest=GUEST, mib=st.sampled_from([2, 10, 100]))
    def balloon_lets_go(self, guest: int, mib: int) -> None:
        self.let(Kind.LET_GO, guest, mib * MIB)

    @rule(ratio=st.sampled_from([0.05, 0.13, 0.4, 0.9]))
    def host_collapses_or_recovers(self, ratio: float) -> None:
        self.let(Kind.HOST_OTHER, amount=int(ratio * TOTAL_BYTES))

    @rule(kind=st.sampled_from([Kind.HOST_UNREADABLE, Kind.STATIC, Kind.OBSERVE]), amount=SWITCH)
    def something_of_the_host_changes(self, kind: Kind, amount: int) -> None:
        self.let(kind, amount=amount)

    @rule(jump_s=st.sampled_from([-86400, -3, 3, 86400]))
    def wall_clock_jumps(self, jump_s: int) -> None:
        self.let(Kind.WALL_JUMP, amount=jump_s)

    @rule(guest=GUEST, least=st.floats(0, 1), most=st.floats(0.3, 1), weight=st.integers(1, 1000))
    def operator_changes_limits(self, guest: int, least: float, most: float, weight: int) -> None:
        max_bytes = self.world.guests.max_bytes[guest]
        self.let(Kind.MIN, guest, int(least * max_bytes))
        self.let(Kind.CEILING, guest, int(most * max_bytes))
        self.let(Kind.WEIGHT, guest, weight)

    @rule(mib=st.sampled_from([ABSENT, 600, 1200, 2500]))
    def operator_changes_the_budget(self, mib: int) -> None:
        self.let(Kind.BUDGET, amount=ABSENT if mib == ABSENT else mib * MIB)

    @rule(owner=GUEST, mib=st.sampled_from([0, 100, 700]))
    def memory_is_reserved(self, owner: int, mib: int) -> None:
        self.let(Kind.RESERVE, owner, mib * MIB)

    @precondition(lambda self: self.tick > 0)
    @invariant()
    def no_rule_is_broken(self) -> None:
        found = violations_of(self.world)
        assert not found, "\n".join(sentence(violation) for violation in found)

    @precondition(lambda self: self.tick > 0)
    @invariant()
    def the_trace_tells_the_truth(self) -> None:
        """Who is said not to be running is not moved; who is moved has a reason that says so."""
        assert self.engine.last is not None
        moved = {str(change.guest): change for change in self.engine.last.plan.changes}
        for trace in self.engine.last.trace.guests:
            change = moved.get(trace.name)
            if change is not None:
                assert self.run_then[int(trace.name[1:])] == RUN_RUNNING
                assert change.reason is trace.reason
                assert change.target_bytes == trace.target_bytes


EngineMachine.TestCase.settings = settings(max_examples=60, stateful_step_count=40)
TestEngineMachine = EngineMachine.TestCase
