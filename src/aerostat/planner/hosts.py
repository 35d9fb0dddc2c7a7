"""Hosts drawn at random from a part: VMs that stand together for a day.

The same draw serves every number of VMs: a host of 20 is the host of 19 with one more, so that
risks of neighbouring numbers differ by that VM alone.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from aerostat.planner.parts import Part, Sizes

Indices = npt.NDArray[np.intp]


@dataclass(frozen=True, slots=True, kw_only=True)
class Hosts:
    """Hosts for a block each."""

    part: Part
    order: Indices  # [host, place]: which VM comes as the how-manieth
    block: Indices  # [host]
    resample: Indices  # [host]: the resample of VMs and days that it was drawn from

    @property
    def count(self) -> int:
        """How many hosts."""
        return len(self.block)

    def vms(self, guests: int) -> Indices:
        """The VMs on each host: [host, guest]. More than there are: some stand there twice."""
        whole, rest = divmod(guests, self.order.shape[1])
        return np.concatenate([self.order] * whole + [self.order[:, :rest]], axis=1)

    def window(self, sizes: Sizes, guests: int) -> Sizes:
        """What these VMs have of ``sizes`` in their host's block: [host, guest, sample]."""
        samples = self.part.block_samples
        vms = self.vms(guests)
        found = np.empty((self.count, guests, samples), dtype=np.int64)
        for host, block in enumerate(self.block):
            found[host] = sizes[vms[host], block * samples : (block + 1) * samples]
        return found


def resampled_hosts(part: Part, *, resamples: int, hosts_each: int, seed: int) -> Hosts:
    """Draw VMs and days with replacement, and hosts from each such drawing (the bootstrap)."""
    draw = np.random.default_rng([seed, 1])
    orders, blocks = [], []
    for _ in range(resamples):
        population = draw.integers(0, part.vms, part.vms)
        days = draw.integers(0, part.blocks, part.blocks)
        for _ in range(hosts_each):
            orders.append(draw.permutation(population))
            blocks.append(draw.choice(days))
    return Hosts(
        part=part,
        order=np.array(orders, dtype=np.intp),
        block=np.array(blocks, dtype=np.intp),
        resample=np.repeat(np.arange(resamples), hosts_each),
    )


def plain_hosts(part: Part, *, hosts: int, seed: int) -> Hosts:
    """Draw hosts from the VMs and days as they are."""
    draw = np.random.default_rng([seed, 2])
    return Hosts(
        part=part,
        order=np.array([draw.permutation(part.vms) for _ in range(hosts)], dtype=np.intp),
        block=np.array([draw.integers(0, part.blocks) for _ in range(hosts)], dtype=np.intp),
        resample=np.zeros(hosts, dtype=np.intp),
    )
