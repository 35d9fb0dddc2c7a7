"""The verbs that ask a running daemon: what they print, what they do, and how they end."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from aerostat.units import MIB
from api.live import CONTROL, READ, Live, live
from daemon_process import aerostat


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
    assert "host holds" in wide
    assert "host holds" not in narrow


def test_status_as_json_is_the_state(host: Live) -> None:
    state = json.loads(told(host, "status", "-o", "json"))
    assert state["schema"] == "aerostat.state/1"
    assert [guest["name"] for guest in state["guests"]] == ["ada", "db 1/x"]


def test_show_tells_why(host: Live) -> None:
    text = told(host, "show", "ada")
    assert "ada holds" in text
    assert "What would change it" in text


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
    assert "db 1/x holds" in told(host, "show", "db 1/x")


def shown(host: Live) -> dict[str, Any]:
    with host.client() as client:
        document: dict[str, Any] = client.get("/v1/guests/ada").json()
    return document


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        (("hold", "adda"), 1, "did you mean 'ada'"),
        (("set", "ada"), 2, "say what to set"),
        (("set", "ada", "--min", "lots"), 1, "min"),
        (("set", "ada", "--weight", "x"), 2, "whole number"),
        (("release",), 2, "name one VM"),
        (("release", "ada", "--all"), 2, "name one VM"),
        (("reclaim", "much"), 1, "size"),
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
    for verb in (("status",), ("hold", "ada"), ("show", "ada")):
        done = aerostat(*verb, "--socket", str(tmp_path / "none.sock"))
        assert done.returncode == 3
        assert "no daemon answers" in done.stderr


def test_a_token_that_may_only_read_commands_nothing(host: Live) -> None:
    url = f"http://127.0.0.1:{host.port}"
    done = aerostat("status", "--url", url, environment={"AEROSTAT_TOKEN": READ})
    assert done.returncode == 0
    refused = aerostat("hold", "ada", "--url", url, environment={"AEROSTAT_TOKEN": READ})
    assert (refused.returncode, "may only read" in refused.stderr) == (4, True)
    done = aerostat(
        "hold", "ada", "--for", "1s", "--url", url, environment={"AEROSTAT_TOKEN": CONTROL}
    )
    assert done.returncode == 0
