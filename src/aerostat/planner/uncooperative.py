"""Without balloons: what guests have touched stays with them, and the host swaps what is too much.

A host's swap cannot tell what a guest uses from what it once used: of what goes out, as large a
share is in use as of all that is resident. Free page reporting gives a part of what is no longer in
use back; zswap holds a part of what does not fit, at the cost of the room its pages take.
"""

import numpy as np

from aerostat.planner.costs import Costs, Figures
from aerostat.planner.hosts import Hosts, Indices
from aerostat.planner.question import Question, Technique

MOST_GUESTS = 2000
"""No host is asked to take more."""


def filled(hosts: Hosts, question: Question) -> Indices:
    """How many VMs each host takes, one after the other, until the next one's max is too much."""
    maxima = hosts.part.max_bytes[hosts.vms(MOST_GUESTS)]
    taken: Indices = (np.cumsum(maxima, axis=1) <= question.supply_bytes).sum(axis=1)
    return taken


def uncooperative_costs(
    hosts: Hosts, guests: int, technique: Technique, question: Question
) -> Costs:
    """Costs of so many guests a host."""
    part = hosts.part
    used = hosts.window(part.used_bytes, guests).sum(axis=1).astype(np.float64)
    resident = _resident(hosts, guests, technique, question, used)
    over = np.maximum(0.0, resident - question.supply_bytes)
    held, compressed = np.zeros_like(over), np.zeros_like(over)
    if technique.is_compressing:
        held = np.minimum(over, question.relief_bytes)
        compressed = np.minimum(question.compressed_bytes(held), resident)
    in_use = np.divide(used, resident, out=np.zeros_like(used), where=resident > 0)
    swapped = over - held
    backed = resident - over
    if technique is Technique.RESERVED:
        backed = np.minimum(_touched(hosts, guests), float(question.supply_bytes))
    return Costs(
        short_byte_s=_by_hour(swapped * in_use, hosts),
        wanted_byte_s=_by_hour(used, hosts),
        pressed_s=_by_hour((swapped > 0).astype(np.float64), hosts),
        compressed_byte_s=_by_hour(compressed * in_use, hosts),
        resident_byte_s=_by_hour(backed, hosts),
        hour_s=part.spell_samples * part.sample_s,
    )


def _resident(
    hosts: Hosts, guests: int, technique: Technique, question: Question, used: Figures
) -> Figures:
    if technique is Technique.RESERVED:
        return used  # nobody is let in whose memory is not there
    touched = _touched(hosts, guests)
    if technique.is_reporting:
        touched = used + (1.0 - question.reported_ratio) * (touched - used)
    return touched


def _touched(hosts: Hosts, guests: int) -> Figures:
    """What guests ever used, from the trace's first sample on."""
    touched: Figures = hosts.window(hosts.part.peak_bytes, guests).sum(axis=1).astype(np.float64)
    return touched


def _by_hour(figures: Figures, hosts: Hosts) -> Figures:
    """Sum samples up by the hour, times their length; a rest that makes no hour is left out."""
    part = hosts.part
    hours = part.block_samples // part.spell_samples
    whole = figures[:, : hours * part.spell_samples]
    by_hour: Figures = whole.reshape(len(figures), hours, part.spell_samples).sum(axis=2)
    return by_hour * part.sample_s
