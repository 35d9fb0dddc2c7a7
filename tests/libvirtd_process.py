"""A libvirtd of the tests' own, in directories of its own, with real domains under it.

It runs as an unprivileged user, in session mode, where all its files are where ``XDG_*`` says: so
it touches no libvirt that is on the machine, and needs no systemd, no cgroups and no namespaces.
"""

import contextlib
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import libvirt

from aerostat.drivers.libvirt.binding import Binding
from aerostat.lab.image import GuestImage
from aerostat.lab.machine.lines import BadLineError, Hello, LineSplitter, parse_line
from aerostat.lab.recording import WorkloadSample
from aerostat.units import MIB
from deadlines import PATIENCE_S

_TERM_S = 5.0
_LIBVIRTD = "/usr/sbin/libvirtd"
_LIBVIRTD_AS = os.environ.get("AEROSTAT_LIBVIRTD_AS")
"""Another version's, as script/versions makes it: takes the user's and the group's number first."""
_XML = """<domain type='qemu'>
 <name>{name}</name><memory unit='MiB'>{ram_mib}</memory><vcpu>1</vcpu>
 <metadata>{metadata}</metadata>
 <os><type arch='x86_64' machine='q35'>hvm</type>
  <kernel>{home}/vmlinuz</kernel><initrd>{home}/initramfs.gz</initrd>
  <cmdline>console=ttyS0 panic=-1 quiet psi=1 nokaslr mitigations=off tsc=reliable no_timer_check
   swap=vda wl.seed=1 wl.comp=0 wl.same=0 wl.keep=release wl.hot={hot_bytes} wl.reads=0
   wl.rate=200 {kernel_args}</cmdline></os>
 <features><acpi/></features>
 <cpu mode='custom' match='exact' check='none'><model fallback='allow'>qemu64</model>
  <feature policy='disable' name='cx16'/><feature policy='require' name='rdrand'/></cpu>
 <on_reboot>restart</on_reboot><on_crash>destroy</on_crash>
 <devices><emulator>/usr/bin/qemu-system-x86_64</emulator>
  <disk type='file' device='disk'><driver name='qemu' type='raw'/>
   <source file='{home}/{name}.swap'/><target dev='vda' bus='virtio'/></disk>
  <serial type='file'><source path='{home}/{name}.console'/></serial>
  <channel type='unix'><source mode='bind' path='{home}/{name}.workload'/>
   <target type='virtio' name='org.aerostat.workload.0'/></channel>
  {devices}
 </devices></domain>"""
_OWN_PATH = "/usr/sbin:/usr/bin:/sbin:/bin"  # where another version's own QEMU is, for itself
BALLOON = "<memballoon model='virtio' autodeflate='on'/>"
NO_BALLOON = "<memballoon model='none'/>"


def is_there() -> bool:
    return (
        Path(_LIBVIRTD_AS or _LIBVIRTD).exists() and shutil.which("qemu-system-x86_64") is not None
    )


def until(condition: Callable[[], Any], what: str, *, deadline_s: float = PATIENCE_S) -> None:
    give_up_s = time.monotonic() + deadline_s
    while not condition():
        assert time.monotonic() < give_up_s, f"{what}: not within {deadline_s} s"
        time.sleep(0.05)


class Workload:
    """The host's end of a domain's workload port."""

    def __init__(self, name: str, path: Path) -> None:
        self.latest: WorkloadSample | None = None
        self.has_booted = threading.Event()
        self.has_worked = threading.Event()
        self._name = name
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.connect(str(path))
        self._thread = threading.Thread(target=self._read)
        self._thread.start()

    def order(self, order: str) -> None:
        self._socket.sendall(order.encode() + b"\n")

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._socket.close()

    def _read(self) -> None:
        splitter = LineSplitter()
        while data := self._received():
            for line in splitter.feed(data):
                with contextlib.suppress(BadLineError):
                    said = parse_line(line, guest=self._name, received_s=time.monotonic())
                    if isinstance(said, Hello):
                        self.has_booted.set()
                    if isinstance(said, WorkloadSample):
                        self.latest = said
                        self.has_worked.set()

    def _received(self) -> bytes:
        with contextlib.suppress(OSError):
            return self._socket.recv(65536)
        return b""


class Libvirtd:
    """One libvirtd and its domains."""

    def __init__(self, image: GuestImage) -> None:
        self.home = Path(tempfile.mkdtemp(prefix="aerostat-libvirt-"))
        self.workloads: dict[str, Workload] = {}
        self._user = pwd.getpwnam("nobody") if os.geteuid() == 0 else pwd.getpwuid(os.geteuid())
        self._process: subprocess.Popen[bytes] | None = None
        self._connection: Any = None
        self._connect = Binding.load().connector(self.uri)
        for name in ("run", "config/libvirt", "cache"):
            (self.home / name).mkdir(parents=True)
        (self.home / "config/libvirt/qemu.conf").write_text('stdio_handler = "file"\n')
        (self.home / "libvirtd.conf").write_text(f'log_outputs="3:file:{self.home}/log"\n')
        shutil.copy(image.kernel, self.home / "vmlinuz")
        shutil.copy(image.initramfs, self.home / "initramfs.gz")
        for path in (self.home, *self.home.rglob("*")):
            self.hand_over(path)

    @property
    def uri(self) -> str:
        return f"qemu+unix:///session?socket={self.home}/run/libvirt/libvirt-sock"

    @property
    def connection(self) -> Any:
        """The tests' own, alive."""
        self._connection = self._connect(self._connection)
        return self._connection

    def start(self) -> None:
        """Start it, and wait until it answers."""
        uid, gid = self._user.pw_uid, self._user.pw_gid
        command = [_LIBVIRTD] if _LIBVIRTD_AS is None else [_LIBVIRTD_AS, str(uid), str(gid)]
        self._process = subprocess.Popen(
            [*command, "-f", str(self.home / "libvirtd.conf"), "-p", str(self.home / "run/pid")],
            user=uid if _LIBVIRTD_AS is None else None,
            group=gid if _LIBVIRTD_AS is None else None,
            extra_groups=() if _LIBVIRTD_AS is None else None,
            env={
                "PATH": os.environ["PATH"] if _LIBVIRTD_AS is None else _OWN_PATH,
                "HOME": str(self.home),
                "XDG_RUNTIME_DIR": str(self.home / "run"),
                "XDG_CONFIG_HOME": str(self.home / "config"),
                "XDG_CACHE_HOME": str(self.home / "cache"),
            },
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        until(self._answers, "libvirtd answers")

    def stop(self) -> None:
        """Stop it as systemd would; one that waits for a QEMU that hangs is killed."""
        assert self._process is not None
        self._process.terminate()
        try:
            self._process.wait(_TERM_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def knows(self, name: str) -> bool:
        """Whether a domain of that name runs, by its own word."""
        return name in [domain.name() for domain in self.connection.listAllDomains()]

    def kill(self) -> None:
        """End it as a crash does."""
        assert self._process is not None
        self._process.kill()
        self._process.wait()

    def hang(self) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def go_on(self) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)

    def create(
        self,
        name: str,
        *,
        hot_bytes: int = 16 * MIB,
        ram_mib: int = 256,
        metadata: str = "",
        devices: str = BALLOON,
        kernel_args: str = "",
    ) -> Any:
        """Start a domain; ``booted`` waits for it."""
        swap = self.home / f"{name}.swap"
        if not swap.exists():
            with swap.open("wb") as file:
                file.truncate(256 * MIB)
            self.hand_over(swap)
        (self.home / f"{name}.workload").unlink(missing_ok=True)
        domain = self.connection.createXML(
            _XML.format(
                name=name,
                home=self.home,
                ram_mib=ram_mib,
                hot_bytes=hot_bytes,
                metadata=metadata,
                devices=devices,
                kernel_args=kernel_args,
            )
        )
        if name in self.workloads:
            self.workloads.pop(name).close()
        self.workloads[name] = Workload(name, self.home / f"{name}.workload")
        return domain

    def booted(self, *names: str) -> None:
        for name in names or tuple(self.workloads):
            until(self.workloads[name].has_booted.is_set, f"{name} has booted")
            until(self.workloads[name].has_worked.is_set, f"{name} works")

    def domain(self, name: str) -> Any:
        return self.connection.lookupByName(name)

    def latest(self, name: str) -> WorkloadSample:
        sample = self.workloads[name].latest
        assert sample is not None
        return sample

    def actual_mib(self, name: str) -> int:
        """By libvirt's events; no call that a QEMU that hangs could hold up."""
        return int(self.domain(name).info()[2]) // 1024

    def pid(self, name: str) -> int:
        return int((self.home / f"run/libvirt/qemu/run/{name}.pid").read_text())

    def end(self) -> None:
        """End everything, whatever state it is in."""
        for workload in self.workloads.values():
            workload.close()
        for path in self.home.glob("run/libvirt/qemu/run/*.pid"):
            if path.name != "driver.pid":
                with contextlib.suppress(ProcessLookupError, ValueError):
                    os.kill(int(path.read_text()), signal.SIGKILL)
        if self._process is not None and self._process.poll() is None:
            self.go_on()
            self.stop()
        if self._connection is not None:
            with contextlib.suppress(libvirt.libvirtError):
                self._connection.close()
        shutil.rmtree(self.home)

    def _answers(self) -> bool:
        with contextlib.suppress(Exception):
            return bool(self.connection.getVersion())
        return False

    def hand_over(self, path: Path) -> None:
        if os.geteuid() == 0:
            os.chown(path, self._user.pw_uid, self._user.pw_gid)


@contextmanager
def private_libvirtd(image: GuestImage) -> Iterator[Libvirtd]:
    """A libvirtd that ends with the block, and all its domains with it."""
    daemon = Libvirtd(image)
    try:
        daemon.start()
        yield daemon
    finally:
        with contextlib.suppress(OSError):  # shown where the test fails
            sys.stderr.write((daemon.home / "log").read_text()[-4000:])
        daemon.end()
