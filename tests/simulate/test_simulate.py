"""``aerostat simulate``: worlds, table, document; the same digest whoever runs it."""

import os
import subprocess
import sys
from pathlib import Path

import jsonschema
import pytest
from typer.testing import CliRunner

from aerostat.cli.main import app
from aerostat.policy.params import PolicyName
from aerostat.present.schema import result_schema
from aerostat.sim.fleet.kinds import KINDS
from aerostat.sim.trace import read_trace
from aerostat.sim.trace.trace import Reading
from simulate.invoked import SMALL, TWO, document_of, simulate, trace_file

SCENARIO = str(Path(__file__).parents[2] / "scenarios" / "g-floor.toml")


def test_a_fleet_by_name_gives_one_table_of_80_columns() -> None:
    done = simulate("diurnal", *SMALL, *TWO, "--overcommit", "2", "--overcommit", "4")
    assert done.exit_code == 0, done.output
    lines = done.stdout.splitlines()
    assert max(map(len, lines)) <= 80
    assert [line for line in lines if line.startswith("diurnal at ")] == [
        "diurnal at 2x: 2 hosts of 4 VMs, 0.0201 days, 1 seed, tick 10 s",
        "diurnal at 4x: 2 hosts of 4 VMs, 0.0201 days, 1 seed, tick 10 s",
    ]
    assert sum(line.startswith("adaptive ") for line in lines) == 2
    assert lines[-1].startswith("digest ")
    assert done.stderr == ""  # quiet in a pipe


def test_every_policy_competes_where_none_is_named() -> None:
    document = document_of("bursty", *SMALL)
    assert {arm["policy"] for arm in document["arms"]} == set(PolicyName)


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_fleet_is_drawn_from_its_seed(kind: str) -> None:
    one, again, other = (
        document_of(kind, *SMALL, "--policy", "slack", "--seed", seed) for seed in ("1", "1", "2")
    )
    assert one["digest"] == again["digest"] != other["digest"]
    assert one["arms"][0]["valid"]


def test_the_document_is_a_result_with_every_guest() -> None:
    document = document_of("correlated", *SMALL, *TWO, "--seed", "3", "--seed", "4")
    jsonschema.validate(document, result_schema())
    assert [(arm["policy"], arm["repeat"]) for arm in document["arms"]] == [
        ("adaptive", 3),
        ("slack", 3),
        ("adaptive", 4),
        ("slack", 4),
    ]
    arm = document["arms"][0]
    assert len(arm["guests"]) == 8
    assert max(guest["unmet_ratio"] for guest in arm["guests"].values()) == pytest.approx(
        arm["worst_guest_unmet_ratio"]
    )
    assert sum(guest["churn_bytes"] for guest in arm["guests"].values()) == arm["churn_bytes"]
    assert "fleet_series" not in arm


def test_a_trace_is_cut_into_hosts_and_its_skipped_rows_are_told(tmp_path: Path) -> None:
    path = trace_file(tmp_path)
    path.write_text(path.read_text() + "bad,row\n")
    done = simulate(str(path), *SMALL, *TWO)
    assert "fleet at 3x: 2 hosts of 4 VMs" in done.stdout
    assert "1 of " in done.stderr
    assert "fleet.csv:" in done.stderr
    refused = simulate(str(path), *SMALL, *TWO, "--strict")
    assert refused.exception is not None
    assert "too many or too few fields" in str(refused.exception)


def test_more_hosts_and_days_than_a_trace_has_are_told(tmp_path: Path) -> None:
    path = str(trace_file(tmp_path))
    said = ("--vms-per-host", "4", "--hosts", "5", "--days", "3", "--policy", "static")
    document = document_of(path, *said, "--smallest", "1B", "--interpreted", "--workers", "1")
    notes = " | ".join(document["notes"])
    assert "its VMs fill 2 hosts, not the 5 of --hosts" in notes
    assert "days, not the 3 of --days" in notes


def test_what_a_scenario_decides_itself_is_told() -> None:
    done = simulate(SCENARIO, "--policy", "static", "--hosts", "3", "--days", "2", "--workers", "1")
    assert done.exit_code == 0, done.output
    assert "a scenario has its own: --hosts, --days did not count" in done.stderr


@pytest.mark.parametrize(("sample_s", "tick_s"), [(15, 7.5), (11, 5.5), (5, 5.0), (300, 10.0)])
def test_the_tick_is_what_fits_a_sample_where_nobody_says(
    tmp_path: Path, sample_s: int, tick_s: float
) -> None:
    path = tmp_path / "fleet.csv"
    rows = [f"vm-{vm},{sample_s * n},{800 + 100 * vm},4096" for vm in range(4) for n in range(8)]
    path.write_text("\n".join(["vm,time_s,used_mib,max_mib", *rows]) + "\n")
    document = document_of(
        str(path), "--vms-per-host", "4", "--policy", "slack", "--interpreted", "--workers", "1"
    )
    world = document["world"]["worlds"][0]
    assert (world["sample_s"], world["tick_s"]) == (sample_s, tick_s)


def test_full_physics_are_another_world_and_say_what_was_lost() -> None:
    simple = document_of("boot-storm", *SMALL, "--policy", "slack", "--overcommit", "6")
    full = document_of("boot-storm", *SMALL, "--policy", "slack", "--overcommit", "6", "--full")
    jsonschema.validate(full, result_schema())
    assert full["world"]["physics"] == "full"
    assert full["digest"] != simple["digest"]
    assert full["arms"][0]["lost_s"] > 0
    assert "lost_s" not in simple["arms"][0]
    table = simulate("boot-storm", *SMALL, *TWO, "--full").stdout
    assert max(map(len, table.splitlines())) <= 80
    assert "lost" in table


def test_each_technique_can_be_switched_on_for_fleets() -> None:
    """And each of them makes another world of it."""
    asked = ("boot-storm", *SMALL, "--policy", "adaptive", "--overcommit", "8", "--full")
    options: list[tuple[str, ...]] = [
        (),
        ("--reporting",),
        ("--pool", "20%"),
        ("--scan-rate", "100MiB", "--identical", "10%"),
        ("--others", "10%"),
        ("--constants", "tcg"),
    ]
    documents = [document_of(*asked, *option) for option in options]
    assert len({document["digest"] for document in documents}) == len(options)
    plain, others = documents[0], documents[-2]
    assert others["arms"][0]["unmet_ratio"] > plain["arms"][0]["unmet_ratio"]
    assert others["world"]["full"]["other_ratio"] == 0.1


@pytest.mark.slow
def test_a_scenario_is_played_under_each_policy() -> None:
    document = document_of(SCENARIO, "--policy", "adaptive", "--policy", "shares", "--workers", "1")
    jsonschema.validate(document, result_schema())
    ours, peer = document["arms"]
    assert ours["failed_checks"] == {}
    assert ours["operations"] > 0
    assert ours["digest"] != peer["digest"]
    table = simulate(SCENARIO, "--policy", "adaptive", "--workers", "1").stdout
    assert max(map(len, table.splitlines())) <= 80


@pytest.mark.slow
def test_a_scenarios_run_can_be_recorded_and_decided_again(tmp_path: Path) -> None:
    """Exactly, like that of a daemon; and read as a trace."""
    path = tmp_path / "floor.parquet"
    done = simulate(SCENARIO, "--policy", "adaptive", "--workers", "1", "--record", str(path))
    assert done.exit_code == 0, done.output
    assert " rounds" in done.stderr
    again = CliRunner().invoke(app, ["replay", str(path), "-o", "json"])
    assert again.exit_code == 0, again.output
    vms = read_trace(path, Reading(sample_s=1.0)).vms
    assert vms > 0
    alone = ("--policy", "slack", "--interpreted", "--workers", "1")
    document = document_of(str(path), "--vms-per-host", str(vms), *alone)
    assert document["world"]["worlds"][0]["sample_s"] == 10


def test_only_one_scenario_under_one_policy_is_recorded(tmp_path: Path) -> None:
    path = str(tmp_path / "x.parquet")
    for arguments in (("diurnal",), (SCENARIO,), (SCENARIO, SCENARIO, "--policy", "adaptive")):
        done = simulate(*arguments, "--record", path)
        assert "--record takes one scenario under one policy" in str(done.exception)


WRONG = {
    ("nowhere",): "no fleet of that name",
    ("diurnal", "--tick", "7s"): "--tick 7.5s would do",
    ("diurnal", "--full", "--constants", "hvf"): "no constants were fitted for that",
    (SCENARIO, "--policy", "clairvoyant"): "nobody can know the future",
}


@pytest.mark.parametrize("arguments", WRONG)
def test_what_cannot_be_is_refused_with_what_would_be_right(arguments: tuple[str, ...]) -> None:
    done = simulate(*arguments, "--days", "0.02")
    assert done.exception is not None
    assert WRONG[arguments] in str(done.exception)
    assert getattr(done.exception, "exit_status", None) == 2


@pytest.mark.parametrize(
    "option",
    [
        ("--overcommit", "0"),
        ("--tick", "soon"),
        ("--largest", "many"),
        ("--hosts", "0"),
        ("--pool", "20%"),  # without --full
        ("--reporting",),
        ("--full", "--others", "90%"),
        ("--full", "--scan-rate", "fast"),
    ],
)
def test_wrong_options_are_wrong_usage(option: tuple[str, str]) -> None:
    done = simulate("diurnal", *option)
    assert done.exit_code == 2
    assert any(word in done.output for word in option if word != "--full")


def test_a_trace_too_small_for_a_host_says_so(tmp_path: Path) -> None:
    done = simulate(str(trace_file(tmp_path, vms=3)), *SMALL, *TWO)
    assert "has 3 usable VMs, not the 4 of one host" in str(done.exception)


@pytest.mark.slow
def test_workers_and_hash_seeds_decide_nothing(tmp_path: Path) -> None:
    """One process or three, any seed of Python's hashes: one digest, and the same as in here."""
    path = str(trace_file(tmp_path, vms=12))
    arguments = [path, *SMALL[:-2], *TWO, "--hosts", "3", "--seed", "5", "--quiet"]
    here = simulate(*arguments, "--workers", "1").stdout
    for workers, hash_seed in (("1", "1"), ("3", "2")):
        done = subprocess.run(
            [sys.executable, "-m", "aerostat", "simulate", *arguments, "--workers", workers],
            env={**os.environ, "PYTHONHASHSEED": hash_seed},
            capture_output=True,
            text=True,
            check=True,
        )
        assert done.stdout == here
