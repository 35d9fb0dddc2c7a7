"""The verbs that ask a running daemon: what they print, what they do, and how they end."""

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import pytest

from aerostat.units import MIB
from api.live import CONTROL, READ, Live, live
from daemon_process import aerostat
from deadlines import PATIENCE_S

pytestmark = pytest.mark.slow  # a process a case


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    with live(tmp_path_factory.mktemp("h"), names=["ada", "db 1/x"]) as one:
        yield one


def told(host: Live, *arguments: str, width: int = 200) -> str:
    done = aerostat(*arguments, "--socket", str(host.socket), environment={"COLUMNS": str(width)})
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_status_fits_80_columns_and_uses_what_it_gets(host: Live) -> None:
    host.until(host.is_seen, "every guest is read")
    narrow, wide = told(host, "status", width=80), told(host, "list", width=200)
    assert max(len(line) for line in narrow.splitlines()) <= 80
    for text in (narrow, wide):
        assert "mode enforce" in text
        assert "ada" in text
        assert "512 MiB" in text
    assert "holds" in wide.splitlines()[3]
    assert "holds" not in narrow.splitlines()[4]


def test_status_as_json_is_the_state(host: Live) -> None:
    state = json.loads(told(host, "status", "-o", "json"))
    assert state["schema"] == "aerostat.state/1"
    assert [guest["name"] for guest in state["guests"]] == ["ada", "db 1/x"]


def test_show_has_every_figure_with_where_it_is_from_and_its_age(host: Live) -> None:
    with host.client() as client:
        host.until(
            lambda: "target_bytes" in client.get("/v1/guests/ada").json(), "it has been asked once"
        )
    text = told(host, "show", "ada", width=80)
    assert max(len(line) for line in text.splitlines()) <= 80
    rows = {line[:24].strip(): line for line in text.splitlines()}
    for figure, source in (
        ("max", "its hypervisor"),
        ("actual", "its hypervisor"),
        ("target", "asked by Aerostat"),
        ("demand", "sure"),
        ("min", "configuration, VM or"),
        ("weight", "100"),
        ("guest total", "the guest's kernel"),
        ("guest available", "the guest's kernel"),
        ("guest free", "the guest's kernel"),
        ("guest cache", "the guest's kernel"),
        ("swapped in", "the guest's kernel"),
        ("major faults a second", "the guest's kernel"),
        ("host holds for it", "the host (cgroup)"),
        ("in the host's swap", "the host"),
    ):
        (row,) = [line for name, line in rows.items() if name.startswith(figure)][:1]
        assert source in row, row
    assert rows["guest available"].rstrip().endswith("s"), "its age"
    assert "–" in rows["pressure, some"], "no agent is in it"  # noqa: RUF001


def test_show_as_json_has_what_the_table_has(host: Live) -> None:
    guest = json.loads(told(host, "show", "ada", "-o", "json"))
    assert guest["weight"] == 100
    assert guest["is_managed"] is True
    assert guest["read_age_s"] < 60
    assert guest["absent"]["oom_kills"] == "not_reported"


def test_explain_and_events_ask_the_daemon(host: Live) -> None:
    text = told(host, "explain", "ada")
    assert "ada holds" in text
    assert "What would change it" in text
    document = json.loads(told(host, "explain", "ada", "-o", "json"))
    assert document["text"].startswith("ada holds")
    host.until(lambda: "ada" in told(host, "events"), "it is written")
    document = json.loads(told(host, "events", "--vm", "ada", "-o", "json"))
    assert {event.get("name") for event in document["events"]} - {None} == {"ada"}
    assert any(event.get("outcome") == "accepted" for event in document["events"]), "routine too"


def test_without_a_store_they_tell_what_is_in_memory(tmp_path: Path) -> None:
    with live(tmp_path, names=["ada"], has_store=False) as one:
        assert "ada holds" in told(one, "explain", "ada")
        told(one, "hold", "ada")
        one.until(lambda: "hold (" in told(one, "events"), "the command is told")
        assert "only what is in memory" in told(one, "events")


NAMES_OF_30 = [f"prod-database-primary-eu-0{n}x30" for n in range(3)]


def test_names_of_30_characters_are_whole_at_80_columns(tmp_path: Path) -> None:
    with live(tmp_path, names=NAMES_OF_30) as one:
        for width in (80, 200):
            text = told(one, "status", width=width)
            assert all(name in text for name in NAMES_OF_30), text
            assert "available" in text
            assert "guest a…" not in text
            assert max(len(line) for line in text.splitlines()) <= width
        narrow = told(one, "status", width=66)
        assert "0x30" in narrow, "what is too long loses its middle"
        assert "prod-" in narrow


@contextmanager
def watching(host: Live, *arguments: str) -> Iterator[IO[str]]:
    """A verb that does not end by itself, and what it prints."""
    with subprocess.Popen(
        [sys.executable, "-m", "aerostat", *arguments, "--socket", str(host.socket)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        try:
            yield process.stdout
        finally:
            process.send_signal(signal.SIGINT)
            assert process.wait(PATIENCE_S) == 130


@pytest.mark.parametrize("verb", [("status",), ("show", "ada")])
def test_watching_as_json_is_a_document_a_line(host: Live, verb: tuple[str, ...]) -> None:
    with watching(host, *verb, "--watch", "-o", "json") as lines:
        for _ in range(2):
            document = json.loads(lines.readline())
            assert "mode" in document or document["name"] == "ada"


def test_watching_events_goes_on_with_what_happens(host: Live) -> None:
    with watching(host, "events", "--watch", "-o", "json", "--vm", "ada") as lines:
        told(host, "hold", "ada", "--for", "2s")
        kinds: list[str] = []
        while "command" not in kinds:
            event = json.loads(lines.readline())
            assert event.get("name") in {"ada", None}
            kinds.append(event["kind"])
    told(host, "unhold", "ada")
    with watching(host, "events", "--watch") as lines:
        while "hold --for 2s" not in (line := lines.readline()):
            assert line, "it goes on"


def test_set_and_hold_and_unhold(host: Live) -> None:
    assert "min 300MiB" in told(host, "set", "ada", "--min", "300MiB", "--weight", "200")
    host.until(lambda: shown(host)["min_bytes"] == 300 * MIB, "min is set")
    told(host, "set", "ada", "--min", "default", "--weight", "default")
    assert "for 1h" in told(host, "hold", "ada", "--for", "1h")
    host.until(lambda: shown(host).get("order", {}).get("standing") == "held", "it is held")
    assert "[held]" in told(host, "status")
    told(host, "unhold", "ada")
    host.until(lambda: "order" not in shown(host), "nothing is ordered")


def test_release_of_all_and_reclaim(host: Live) -> None:
    document = json.loads(told(host, "release", "--all", "--for", "1s", "-o", "json"))
    assert document["outcome"] == "accepted"
    assert "8MiB is kept free" in told(host, "reclaim", "8MiB", "--for", "1s")


def test_a_name_with_a_slash_is_a_name(host: Live) -> None:
    assert "db 1/x holds" in told(host, "explain", "db 1/x")
    assert "db 1/x, running" in told(host, "show", "db 1/x")


def shown(host: Live) -> dict[str, Any]:
    with host.client() as client:
        document: dict[str, Any] = client.get("/v1/guests/ada").json()
    return document


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        (("hold", "adda"), 1, "did you mean 'ada'"),
        (("set", "ada"), 2, "say what to set"),
        (("set", "ada", "--min", "lots"), 2, "not a size"),
        (("set", "ada", "--weight", "x"), 2, "whole number"),
        (("release",), 2, "name one VM"),
        (("release", "ada", "--all"), 2, "name one VM"),
        (("reclaim", "much"), 2, "not a size"),
        (("hold", "ada", "--for", "ever"), 2, "not a duration"),
        (("set", "ada", "--weight", "99999"), 2, "weight"),
        (("hold", "ada", "--for", "400d"), 2, "at most 365d"),
        (("explain", "adda"), 1, "did you mean 'ada'"),
        (("events", "--vm", "adda"), 1, "did you mean 'ada'"),
        (("events", "--store", "/nowhere.db"), 2, "give no --socket"),
    ],
)
def test_wrong_usage_is_told(
    host: Live, arguments: tuple[str, ...], status: int, words: str
) -> None:
    done = aerostat(*arguments, "--socket", str(host.socket))
    assert done.returncode == status, done.stderr
    assert words in done.stderr
    assert "Traceback" not in done.stderr


def test_without_a_daemon_the_status_is_3(tmp_path: Path) -> None:
    for verb in (
        ("status",),
        ("hold", "ada"),
        ("show", "ada"),
        ("explain", "ada"),
        ("events",),
        ("events", "--watch"),
    ):
        done = aerostat(*verb, "--socket", str(tmp_path / "none.sock"))
        assert done.returncode == 3
        assert "no daemon answers" in done.stderr


def test_a_token_that_may_only_read_commands_nothing(host: Live) -> None:
    url = f"http://127.0.0.1:{host.port}"
    done = aerostat("status", "--url", url, environment={"AEROSTAT_TOKEN": READ})
    assert done.returncode == 0
    nobody = aerostat("status", "--url", url, environment={"AEROSTAT_TOKEN": ""})
    assert (nobody.returncode, "token is needed" in nobody.stderr) == (4, True)
    refused = aerostat("hold", "ada", "--url", url, environment={"AEROSTAT_TOKEN": READ})
    assert (refused.returncode, "may only read" in refused.stderr) == (4, True)
    done = aerostat(
        "hold", "ada", "--for", "1s", "--url", url, environment={"AEROSTAT_TOKEN": CONTROL}
    )
    assert done.returncode == 0
