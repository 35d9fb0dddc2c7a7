"""Drivers and stand-ins say and hear nothing that the projects' own documents do not allow.

Every case of the contract is played once more with a proxy between driver and stand-in. The
documents are not part of this project: name their directory in AEROSTAT_SPECS, with
``cloud-hypervisor.yaml`` and ``firecracker.yaml`` in it.
"""

import json
import os
from functools import cache
from pathlib import Path

import pytest

from aerostat.drivers.cloud_hypervisor.answers import parse_info
from aerostat.sim.cloud_hypervisor import CloudHypervisors
from aerostat.sim.cloud_hypervisor.api import CloudHypervisorApi, VmConfig
from aerostat.sim.firecracker import Firecrackers
from aerostat.sim.firecracker.api import Balloon, FirecrackerApi, MicroVm
from aerostat.sim.guest import SimulatedGuest
from aerostat.sim.http_api.server import ApiServer
from aerostat.sim.http_api.wire import Answer, Request
from aerostat.sim.world import GuestSpec, World
from aerostat.units import MIB
from drivers.contract.kinds import CASES, KINDS
from drivers.contract.rig import Case
from drivers.contract.rig_fake_api import FakeApiRig, FakeCloudHypervisorRig, FakeFirecrackerRig
from drivers.contract.rig_of_world import play_in_world
from drivers.openapi_proxy import Document, Proxy

BESIDE = Path(__file__).parents[2].parent / "shared" / "specs"
SPECS = Path(os.environ.get("AEROSTAT_SPECS", BESIDE))


@cache
def cloud_hypervisor() -> Document:
    # Later than the document: pull request 8603 of the project, merged after v53.0.
    beyond = frozenset({("GET", "/vm.balloon-stats")})
    return Document(SPECS / "cloud-hypervisor.yaml", base="/api/v1", beyond=beyond)


@cache
def firecracker() -> Document:
    return Document(SPECS / "firecracker.yaml")


class ProxiedServer(ApiServer):
    """A stand-in with a proxy where its socket would be."""

    def __init__(self, server: ApiServer, document: Document) -> None:
        self.__dict__.update(server.__dict__)
        front, self.path = self.path, self.path.with_suffix(".behind")
        self.proxy = Proxy(front, self.path, document)

    async def open(self) -> None:
        await super().open()
        await self.proxy.open()

    async def close(self) -> None:
        await self.proxy.close()
        await super().close()


class ProxiedCloudHypervisors(CloudHypervisors):
    def new_peer(self, guest: SimulatedGuest, path: Path) -> ApiServer:
        return ProxiedServer(super().new_peer(guest, path), cloud_hypervisor())


class ProxiedFirecrackers(Firecrackers):
    def new_peer(self, guest: SimulatedGuest, path: Path) -> ApiServer:
        return ProxiedServer(super().new_peer(guest, path), firecracker())


class ProxiedRig(FakeApiRig):
    """A rig that ends well only if the proxies had nothing to object to."""

    async def open_peer(self) -> None:
        self.proxies: list[Proxy] = []
        await super().open_peer()

    async def start(self, name: str, *args: object) -> None:
        await super().start(name, *args)  # type: ignore[arg-type]
        peer = self.machines.peers[self.guest(name).guest]
        assert isinstance(peer, ProxiedServer)
        self.proxies.append(peer.proxy)

    async def close_peer(self) -> None:
        await super().close_peer()
        assert sum(proxy.exchanges for proxy in self.proxies) > 3
        assert [text for proxy in self.proxies for text in proxy.objections] == []


class ProxiedCloudHypervisorRig(ProxiedRig, FakeCloudHypervisorRig):
    def new_machines(self) -> CloudHypervisors:
        return ProxiedCloudHypervisors(self.world, self.directory)


class ProxiedFirecrackerRig(ProxiedRig, FakeFirecrackerRig):
    def new_machines(self) -> Firecrackers:
        return ProxiedFirecrackers(self.world, self.directory)


@pytest.mark.skipif(not SPECS.is_dir(), reason=f"no documents in {SPECS}: set AEROSTAT_SPECS")
@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
@pytest.mark.parametrize(
    ("rig_class", "column"),
    [(ProxiedCloudHypervisorRig, "ch-fake"), (ProxiedFirecrackerRig, "fc-fake")],
    ids=["ch", "fc"],
)
def test_the_documents_allow_all_of_it(
    rig_class: type[ProxiedRig], column: str, case: Case, tmp_path: Path
) -> None:
    if case.name in KINDS[column].cannot:
        pytest.skip(KINDS[column].cannot[case.name])
    play_in_world(rig_class, case, tmp_path)


GOOD_BALLOON = {"amount_mib": 1, "deflate_on_oom": True}


@pytest.mark.skipif(not SPECS.is_dir(), reason=f"no documents in {SPECS}: set AEROSTAT_SPECS")
@pytest.mark.parametrize(
    ("method", "path", "body", "status", "answer", "objection"),
    [
        ("PATCH", "/balloon", {"amount_mib": 1, "size": 2}, 204, None, "size"),
        ("PATCH", "/balloon", {"amount_mib": "1"}, 204, None, "amount_mib"),
        ("PATCH", "/balloon", {}, 204, None, "required"),
        ("PATCH", "/balloon", {"amount_mib": 1}, 204, {"done": 1}, "a body"),
        ("GET", "/balloon", None, 200, {"amount_mib": 1}, "deflate_on_oom"),
        ("GET", "/balloon", None, 200, {**GOOD_BALLOON, "size": 1}, "size"),
        ("GET", "/balloon", None, 400, {"fault_message": 7}, "fault_message"),
        ("DELETE", "/balloon", None, 204, None, "not in the document"),
        ("GET", "/ballon", None, 200, {}, "not in the document"),
    ],
)
def test_the_proxy_objects(
    method: str, path: str, body: object, status: int, answer: object, objection: str
) -> None:
    """A proxy that lets everything pass would prove nothing."""
    assert firecracker().objections("GET", "/balloon", None, 200, GOOD_BALLOON) == []
    (found,) = firecracker().objections(method, path, body, status, answer)
    assert objection in found


@pytest.mark.skipif(not SPECS.is_dir(), reason=f"no documents in {SPECS}: set AEROSTAT_SPECS")
def test_the_proxy_follows_references_and_statuses() -> None:
    document, path = cloud_hypervisor(), "/api/v1/vm.info"
    good = {"state": "Paused", "config": {"payload": {}, "memory": {"size": 1}}}
    assert document.objections("GET", path, None, 200, good) == []
    assert document.objections("GET", path, None, 200, {**good, "state": "Asleep"})
    deep = {**good, "config": {"payload": {}, "memory": {"size": "1"}}}
    assert document.objections("GET", path, None, 200, deep)
    assert document.objections("GET", path, None, 409, None)
    assert document.objections("GET", "/vm.info", None, 200, good)


@pytest.mark.skipif(not SPECS.is_dir(), reason=f"no documents in {SPECS}: set AEROSTAT_SPECS")
def test_vsock_and_hinting_are_as_the_documents_have_them() -> None:
    """What no case of the contract asks for, because not every rig has it."""
    world = World([GuestSpec(name="a")])
    hinting = Balloon(free_page_hinting=True, stats_polling_interval_s=1)
    vmm = FirecrackerApi(world, "a", MicroVm(mem_size_mib=512, balloon=hinting, vsock="/run/v"))
    unstarted = FirecrackerApi(world, "b", MicroVm())
    put = {"guest_cid": 3, "uds_path": "/run/v"}
    for api, method, path, body in (
        (vmm, "GET", "/vm/config", None),
        (vmm, "GET", "/balloon/hinting/status", None),
        (unstarted, "PUT", "/vsock", put),
    ):
        answer = said(api, method, path, body)
        assert answer.status in (200, 204)
        allowed = firecracker().objections(method, path, body, answer.status, answer.body)
        assert allowed == [], (path, answer)
    ch = CloudHypervisorApi(world, "a", VmConfig(size_bytes=512 * MIB, vsock="/run/v"))
    answer, path = said(ch, "GET", "/api/v1/vm.info", None), "/api/v1/vm.info"
    assert parse_info(answer.body).vsock == "/run/v"
    assert cloud_hypervisor().objections("GET", path, None, answer.status, answer.body) == []


def said(api: FirecrackerApi | CloudHypervisorApi, method: str, path: str, body: object) -> Answer:
    sent = b"" if body is None else json.dumps(body).encode()
    return api.answer(Request(method=method, path=path, body=sent))
