"""The shape of the file: its tables, keys and defaults. Field names are the file's own keys.

Values carry their units in the file, so keys do not. Defaults come from the engine's parameters:
there is one place where each is decided.
"""

from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict

from aerostat.config.values import (
    Address,
    ApiSocketGlob,
    DurationS,
    FileMode,
    FilePath,
    Glob,
    Group,
    GuestAmount,
    HostAmount,
    LibvirtUri,
    ShareRatio,
    SizeBytes,
    SocketGlob,
    Truth,
    Weight,
    at_least,
    choice,
    shown,
    steps_of,
    within,
)
from aerostat.engine.params import Accounting, EngineParams
from aerostat.host.techniques.managed import CompressWith, TechniqueSettings
from aerostat.model.host_state import DECLARABLE_STEPS, EXEMPTIONS, LadderStep
from aerostat.model.modes import Mode, OnStop
from aerostat.policy.params import PolicyName
from aerostat.store import Retention

_ENGINE = EngineParams()
_GUARD = _ENGINE.guard
_ADAPTIVE = _ENGINE.adaptive
_LADDER = _ENGINE.ladder
_RETENTION = Retention()
_TECHNIQUES = TechniqueSettings()

Steps = tuple[LadderStep, ...]
LadderSteps = Annotated[Steps, BeforeValidator(steps_of(DECLARABLE_STEPS))]


class Table(BaseModel):
    """A table of the file; keys that are not declared are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class QmpTable(Table):
    """Where the guests' monitors are."""

    sockets: tuple[SocketGlob, ...] = ()


class CloudHypervisorTable(Table):
    """Where the API sockets of Cloud Hypervisors are."""

    sockets: tuple[ApiSocketGlob, ...] = ()


class FirecrackerTable(Table):
    """Where the API sockets of Firecrackers are."""

    sockets: tuple[ApiSocketGlob, ...] = ()


class LibvirtTable(Table):
    """Which libvirt runs the guests."""

    uri: LibvirtUri | None = None
    agent: Truth = True


class HostTable(Table):
    """What the host keeps for itself."""

    budget: SizeBytes | None = _ENGINE.host.budget_bytes
    accounting: Annotated[Accounting, BeforeValidator(choice(Accounting))] = _ENGINE.host.accounting
    reserve: HostAmount = _ENGINE.host.reserve
    burst_reserve: HostAmount = _ENGINE.host.burst_reserve
    burst_reserve_min: HostAmount = _ENGINE.host.burst_reserve_min


class GuestsTable(Table):
    """What holds for every guest that no rule names."""

    min: GuestAmount = _ENGINE.default_limits.minimum
    max: GuestAmount | None = _ENGINE.default_limits.maximum
    weight: Weight = _ENGINE.default_limits.weight
    managed: Truth = _ENGINE.default_limits.is_managed
    exempt: Annotated[Steps, BeforeValidator(steps_of(EXEMPTIONS))] = ()


class GuestTable(Table):
    """A rule for guests by name or tag; what it does not say comes from ``[guests]``."""

    name: Glob | None = None
    tag: Glob | None = None
    min: GuestAmount | None = None
    max: GuestAmount | None = None
    weight: Weight | None = None
    managed: Truth | None = None
    exempt: Annotated[Steps, BeforeValidator(steps_of(EXEMPTIONS))] | None = None


class LadderTable(Table):
    """What may be done as the host runs short, and how."""

    comfortable: LadderSteps = _LADDER.comfortable
    soft: LadderSteps = _LADDER.soft
    hard: LadderSteps = _LADDER.hard
    critical: LadderSteps = _LADDER.critical
    put_back: Annotated[DurationS, within("10s", "1d")] = _LADDER.put_back_s
    compress_with: Annotated[CompressWith, BeforeValidator(choice(CompressWith))] = (
        _TECHNIQUES.compress_with
    )
    pool: HostAmount = _TECHNIQUES.pool
    swap_file: FilePath | None = None
    swap_size: Annotated[SizeBytes, at_least("64MiB")] | None = _TECHNIQUES.swap_size_bytes
    touched_period: Annotated[DurationS, within("10s", "1h")] | None = None
    merge_rate: Annotated[SizeBytes, at_least("1MiB")] = _TECHNIQUES.merge_rate


class StoreTable(Table):
    """What the daemon remembers, and where."""

    enabled: Truth = True
    path: FilePath | None = None
    keep: Annotated[DurationS, within("1h", "3650d")] = _RETENTION.keep_s
    # Below this there is hardly room for a day of a few guests.
    size_max: Annotated[SizeBytes, at_least("8MiB")] = _RETENTION.size_bytes_max
    record: Annotated[DurationS, within("1m", "3650d")] | None = _RETENTION.tape_s


class ApiTable(Table):
    """Who may ask the running daemon, and where."""

    enabled: Truth = True
    socket: FilePath | None = None
    socket_mode: FileMode = 0o660
    socket_group: Group | None = None
    listen: Address | None = None
    token_file: FilePath | None = None
    read_token_file: FilePath | None = None
    certificate: FilePath | None = None
    key: FilePath | None = None


class AdvancedTable(Table):
    """Knobs that should be left alone until the simulator says otherwise."""

    round: Annotated[DurationS, within("100ms", "1m")] = _ENGINE.round_s
    round_moving: Annotated[DurationS, within("50ms", "1m")] = _ENGINE.round_moving_s
    # Below three periods of the guests' statistics (1 s, in whole seconds) good figures look old.
    figures_age_max: Annotated[DurationS, within("3s", "1h")] = _GUARD.figures_age_max_s
    grace: Annotated[DurationS, within("0s", "1h")] = _GUARD.grace_s
    cooldown: Annotated[DurationS, within("0s", "1h")] = _GUARD.cooldown_s
    distress_quiet: Annotated[DurationS, within("1s", "1h")] = _GUARD.distress_quiet_s
    dead_band: SizeBytes = _GUARD.dead_band_bytes
    step: ShareRatio = _GUARD.step_ratio_max
    step_rate: SizeBytes = _GUARD.step_rate_max
    host_step_rate: SizeBytes = _GUARD.host_step_rate_max
    stall: Annotated[DurationS, within("1s", "10m")] = _GUARD.stall_s
    stall_retry: Annotated[DurationS, within("1s", "1d")] = _GUARD.stall_retry_s
    stall_retry_max: Annotated[DurationS, within("1s", "1d")] = _GUARD.stall_retry_s_max
    guest_floor: SizeBytes = _GUARD.guest_floor_bytes
    shutdown: Annotated[DurationS, within("0s", "1h")] = _GUARD.shutdown_s
    yield_to_others: Annotated[DurationS, within("0s", "1d")] = _GUARD.yield_s
    headroom: ShareRatio = _ADAPTIVE.headroom_ratio
    headroom_sure: ShareRatio = _ADAPTIVE.headroom_sure_ratio
    headroom_min: SizeBytes = _ADAPTIVE.headroom_bytes_min
    headroom_max: SizeBytes = _ADAPTIVE.headroom_bytes_max
    lookahead: Annotated[DurationS, within("0s", "1m")] = _ADAPTIVE.lookahead_s
    fall: Annotated[DurationS, within("1s", "1h")] = _ADAPTIVE.fall_s


def _policy(value: object) -> PolicyName:
    """A policy that a daemon can follow."""
    if value == PolicyName.CLAIRVOYANT.value:
        raise ValueError(
            f"{shown(value)} knows what guests will want, which only an experiment does: "
            "it is a bound to compare with in simulate and lab bench"
        )
    return choice(name for name in PolicyName if name is not PolicyName.CLAIRVOYANT)(value)


class Document(Table):
    """The whole file."""

    # Observing changes nothing in a VM: what nobody asked for must not move memory.
    mode: Annotated[Mode, BeforeValidator(choice(Mode))] = Mode.OBSERVE
    on_stop: Annotated[OnStop, BeforeValidator(choice(OnStop))] = OnStop.LEAVE
    policy: Annotated[PolicyName, BeforeValidator(_policy)] = _ENGINE.policy
    qmp: QmpTable = QmpTable()
    libvirt: LibvirtTable = LibvirtTable()
    cloud_hypervisor: CloudHypervisorTable = CloudHypervisorTable()
    firecracker: FirecrackerTable = FirecrackerTable()
    host: HostTable = HostTable()
    guests: GuestsTable = GuestsTable()
    guest: tuple[GuestTable, ...] = ()
    ladder: LadderTable = LadderTable()
    store: StoreTable = StoreTable()
    api: ApiTable = ApiTable()
    advanced: AdvancedTable = AdvancedTable()
