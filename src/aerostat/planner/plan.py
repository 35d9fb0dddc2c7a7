"""Puts a plan together."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from math import ceil

import numpy as np

from aerostat.planner.advice import VmAdvice, advice_of, with_advice
from aerostat.planner.costs import Costs
from aerostat.planner.fit import Fit, costs_of, fit_of, is_within
from aerostat.planner.hosts import Hosts, plain_hosts, resampled_hosts
from aerostat.planner.parts import Part, parts_of
from aerostat.planner.question import Question, Technique
from aerostat.sim.trace import Trace
from aerostat.sim.workers import Alone, Crew


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """A technique with its number of guests, on the part it was chosen on and on the later one."""

    fit: Fit
    training: Costs
    later: Costs
    overcommit_ratio: float  # sum of max over what a host has for guests, on the mean

    def holds(self, question: Question) -> bool:
        """Whether the later part stayed within the bounds as well."""
        return is_within(self.later, question)


@dataclass(frozen=True, slots=True, kw_only=True)
class WorstHour:
    """The hour of the later part, on one of the hosts drawn, in which most was lacking."""

    unmet_ratio: float
    block: int  # of the trace
    hour: int  # in the block
    wanted_ratio: float  # what guests wanted on the mean of it, over what the host has for them


@dataclass(frozen=True, slots=True, kw_only=True)
class HostLost:
    """One host of several is lost, and the others take its guests."""

    guests: int  # on each of the others
    later: Costs
    is_within: bool
    safe_guests: int  # so many on each host, and no other one takes more than fit
    safe_later: Costs  # what comes of those when one is lost
    safe_is_within: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """The answer."""

    question: Question
    training: Part
    later: Part
    techniques: tuple[Judged, ...]
    worst_hour: WorstHour | None  # None: not one guest fits
    host_lost: HostLost | None  # None: there is but one host
    vms: tuple[VmAdvice, ...]

    @property
    def ballooned(self) -> Judged:
        """What this daemon does."""
        return next(j for j in self.techniques if j.fit.technique is Technique.BALLOONING)


@dataclass(frozen=True, slots=True, kw_only=True)
class TechniqueJob:
    """Everything that is asked of one technique, as a value that any process can run."""

    technique: Technique
    resampled: Hosts
    drawn: Hosts
    question: Question

    def run(self, told: Callable[[], None] = lambda: None) -> Judged:
        """Find how many fit, and judge that."""
        fit = fit_of(self.resampled, self.technique, self.question, told=told)
        return _judged(fit, self.resampled, self.drawn, self.question)


def make_plan(
    trace: Trace,
    question: Question,
    *,
    crew: Crew | None = None,
    told: Callable[[int, str], None] | None = None,
) -> Plan:
    """Answer the question with a trace; the same inputs give the same plan, whoever runs it.

    Args:
        trace: what VMs used.
        question: what is asked.
        crew: runs the techniques; this process if not said.
        told: is told how many measurements are done, and of what the next one is.

    Raises:
        PlanError: the trace is too short, or its VMs are too large.
    """
    training, later = parts_of(trace, question)
    resampled = resampled_hosts(
        training,
        resamples=question.resamples,
        hosts_each=question.hosts_a_resample,
        seed=question.seed,
    )
    count = question.resamples * question.hosts_a_resample
    drawn = plain_hosts(later, hosts=count, seed=question.seed)
    done = 0

    def step(what: str) -> None:
        nonlocal done
        done += 1
        if told is not None:
            told(done, what)

    advice = advice_of(training, later, _names(trace, question))
    jobs = [
        _job(technique, resampled, drawn, question, advice)
        for technique in Technique
        if technique is not Technique.BALLOONING_REPORTING
    ]
    found: dict[Technique, Judged] = {}
    for job, one in zip(jobs, _run(jobs, crew or Alone(), step), strict=True):
        found[job.technique] = one
        step(job.technique.value)
    found[Technique.BALLOONING_REPORTING] = _reporting(found[Technique.BALLOONING], drawn, question)
    judged = [found[technique] for technique in Technique]
    ballooned = next(j for j in judged if j.fit.technique is Technique.BALLOONING)
    lost = _host_lost(ballooned, drawn, question)
    step("a host is lost")
    return Plan(
        question=question,
        training=training,
        later=later,
        techniques=tuple(judged),
        worst_hour=_worst_hour(ballooned, drawn, question),
        host_lost=lost,
        vms=advice,
    )


def _job(
    technique: Technique,
    resampled: Hosts,
    drawn: Hosts,
    question: Question,
    advice: Sequence[VmAdvice],
) -> TechniqueJob:
    if technique is Technique.BALLOONING_ADVISED:
        resampled = replace(resampled, part=with_advice(resampled.part, advice))
        drawn = replace(drawn, part=with_advice(drawn.part, advice))
    return TechniqueJob(technique=technique, resampled=resampled, drawn=drawn, question=question)


def _run(jobs: Sequence[TechniqueJob], crew: Crew, step: Callable[[str], None]) -> Iterator[Judged]:
    if crew.workers > 1:
        return crew.results(jobs)
    return (job.run(lambda what=job.technique.value: step(what)) for job in jobs)  # type: ignore[misc]


def _reporting(ballooned: Judged, drawn: Hosts, question: Question) -> Judged:
    """As many, since a target is a promise; only the host's memory is freer meanwhile."""
    fit = replace(ballooned.fit, technique=Technique.BALLOONING_REPORTING)
    later = costs_of(drawn, max(1, fit.guests), fit.technique, question)
    return replace(ballooned, fit=fit, later=later)


def _names(trace: Trace, question: Question) -> tuple[str, ...]:
    fitting = trace.max_bytes <= question.supply_bytes
    return tuple(name for name, fits in zip(trace.names, fitting, strict=False) if fits)


def _judged(fit: Fit, resampled: Hosts, drawn: Hosts, question: Question) -> Judged:
    guests = max(1, fit.guests)
    whole = resampled.part.max_bytes.mean() * guests
    return Judged(
        fit=fit,
        training=fit.curve.get(guests) or costs_of(resampled, guests, fit.technique, question),
        later=costs_of(drawn, guests, fit.technique, question),
        overcommit_ratio=float(whole / question.supply_bytes),
    )


def _worst_hour(ballooned: Judged, drawn: Hosts, question: Question) -> WorstHour | None:
    if ballooned.fit.guests == 0:
        return None
    costs = ballooned.later
    host, hour, ratio = costs.worst_hour()
    wanted = float(costs.wanted_byte_s[host, hour]) / costs.hour_s
    return WorstHour(
        unmet_ratio=ratio,
        block=int(drawn.part.first_block + drawn.block[host]),
        hour=hour,
        wanted_ratio=wanted / question.supply_bytes,
    )


def _host_lost(ballooned: Judged, drawn: Hosts, question: Question) -> HostLost | None:
    left = question.hosts - 1
    guests = ballooned.fit.guests
    if left < 1 or guests < 1:
        return None
    then = ceil(guests * question.hosts / left)
    costs = costs_of(drawn, then, Technique.BALLOONING, question)
    safe = int(np.floor(guests * left / question.hosts))
    crowd = max(1, ceil(safe * question.hosts / left))
    safe_costs = costs_of(drawn, crowd, Technique.BALLOONING, question)
    return HostLost(
        guests=then,
        later=costs,
        is_within=is_within(costs, question),
        safe_guests=safe,
        safe_later=safe_costs,
        safe_is_within=is_within(safe_costs, question),
    )
