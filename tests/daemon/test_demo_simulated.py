"""``aerostat demo`` without real guests: labelled as such everywhere; and what it refuses."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import jsonschema
import pytest

from aerostat.lab.result import result_schema
from daemon_process import aerostat
from demo_document import arms_of, document_in, operations

pytestmark = pytest.mark.slow  # whole demos

SCHEDULE = """\
seed = 1
rate = 500
slo = "20ms"
budget = "900MiB"
warm_up = "2s"
settle = "2s"
[[guest]]
name = "ada"
ram = "512MiB"
[[phase]]
duration = "often"
hot = { ada = "350MiB" }
"""


@pytest.fixture
def no_qemu(tmp_path: Path) -> Mapping[str, str]:
    """An environment in which no program is to be found."""
    empty = tmp_path / "empty"
    empty.mkdir()
    return {"PATH": str(empty)}


def demo_in(
    directory: Path, *arguments: str, environment: Mapping[str, str] | None = None
) -> tuple[int, str, str]:
    """Run the demo with its files in a directory; returns exit status, output and errors."""
    done = aerostat("demo", *arguments, "--directory", str(directory), environment=environment)
    assert "Traceback" not in done.stderr, done.stderr
    return done.returncode, done.stdout, done.stderr


def test_simulated_guests_are_labelled_in_the_document_and_the_report(tmp_path: Path) -> None:
    status, out, errors = demo_in(tmp_path, "--simulated", "-q", "-o", "json")
    assert (status, errors) == (0, "")
    document = document_in(out)
    jsonschema.validate(document, result_schema())
    assert document["accelerator"] == "simulated"
    assert document["machine"]["hypervisor"] == "simulated"
    assert any("SIMULATED" in note for note in document["notes"])
    assert document == document_in((tmp_path / "aerostat-demo.json").read_text())
    assert "SIMULATED" in (tmp_path / "aerostat-demo.html").read_text()


def test_simulated_guests_are_labelled_in_the_table(tmp_path: Path) -> None:
    status, out, _errors = demo_in(tmp_path, "--simulated", "-q")
    assert status == 0
    assert "Even split" in out
    assert "Aerostat" in out
    assert "The guests are SIMULATED" in " ".join(out.split())


def test_simulated_guests_are_labelled_while_they_run(tmp_path: Path) -> None:
    status, _out, errors = demo_in(tmp_path, "--simulated", "-o", "json")
    assert status == 0
    assert "SIMULATED" in errors


def test_balancing_simulated_guests_is_at_least_as_good_as_an_even_split(tmp_path: Path) -> None:
    status, out, _errors = demo_in(tmp_path, "--simulated", "-q", "-o", "json")
    assert status == 0
    document = document_in(out)
    static, adaptive = arms_of(document, "static"), arms_of(document, "adaptive")
    assert len(static) == len(adaptive) >= 1
    assert operations(adaptive) >= operations(static)
    for arm in document["arms"]:
        assert arm["valid"]
        assert arm["checksum_errors"] == arm["oom_kills"] == 0


def test_another_number_of_guests_can_be_asked_for(tmp_path: Path) -> None:
    status, out, _errors = demo_in(tmp_path, "--simulated", "-q", "-o", "json", "--guests", "2")
    assert status == 0
    assert list(document_in(out)["arms"][0]["guests"]) == ["ada", "bob"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--real", "--simulated"], "exclude each other"),
        (["--simulated", "--guests", "1"], "--guests"),
        (["--simulated", "--seconds", "5"], "--seconds"),
        (["--simulated", "-o", "yaml"], "--output"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_wrong_usage_is_refused(tmp_path: Path, arguments: Sequence[str], words: str) -> None:
    status, out, errors = demo_in(tmp_path, *arguments)
    assert (status, out) == (2, "")
    assert words in errors
    assert list(tmp_path.iterdir()) == []


def test_a_bad_schedule_is_refused_with_file_and_line(tmp_path: Path) -> None:
    schedule = tmp_path / "bad.toml"
    schedule.write_text(SCHEDULE)
    line = SCHEDULE.splitlines().index('duration = "often"') + 1
    status, out, errors = demo_in(tmp_path, "--simulated", "--schedule", str(schedule))
    assert (status, out) == (2, "")
    assert f"{schedule}:{line}: phase[0].duration:" in errors


def test_a_number_of_guests_beside_a_schedule_is_refused(tmp_path: Path) -> None:
    schedule = tmp_path / "own.toml"
    schedule.write_text(SCHEDULE)
    arguments = ("--simulated", "--schedule", str(schedule), "--guests", "4")
    status, out, errors = demo_in(tmp_path, *arguments)
    assert (status, out) == (2, "")
    assert "a schedule names its guests itself" in errors


def test_a_schedule_that_is_not_there_is_refused(tmp_path: Path) -> None:
    missing = tmp_path / "missing.toml"
    status, out, errors = demo_in(tmp_path, "--simulated", "--schedule", str(missing))
    assert (status, out) == (2, "")
    assert str(missing) in errors


def test_a_directory_that_does_not_exist_is_refused_before_anything_runs(tmp_path: Path) -> None:
    status, out, errors = demo_in(tmp_path / "missing", "--simulated")
    assert (status, out) == (2, "")
    assert "is not a directory" in " ".join(errors.split())


def test_without_qemu_the_demo_says_so_and_runs_simulated(
    tmp_path: Path, no_qemu: Mapping[str, str]
) -> None:
    status, out, errors = demo_in(tmp_path, "-q", "-o", "json", environment=no_qemu)
    assert status == 0
    assert "No QEMU here (qemu-system-x86_64)" in errors
    assert "SIMULATED" in errors
    assert document_in(out)["accelerator"] == "simulated"


def test_without_qemu_real_guests_are_refused_and_what_to_install_is_named(
    tmp_path: Path, no_qemu: Mapping[str, str]
) -> None:
    status, out, errors = demo_in(tmp_path, "--real", environment=no_qemu)
    assert (status, out) == (1, "")
    assert "apt-get install qemu-system-x86" in errors
    assert not (tmp_path / "aerostat-demo.json").exists()
