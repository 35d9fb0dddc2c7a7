"""The verbs ask a daemon over TLS: who signed its certificate is trusted, named, or told of."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from api.live import CONTROL, Live, live
from certificates import Signed, signed_for
from daemon_process import aerostat

pytestmark = pytest.mark.slow  # a process a case

TOKEN = {"AEROSTAT_TOKEN": CONTROL}


@pytest.fixture(scope="module")
def signed(tmp_path_factory: pytest.TempPathFactory) -> Signed:
    return signed_for("127.0.0.1", tmp_path_factory.mktemp("pem"))


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory, signed: Signed) -> Iterator[Live]:
    with live(tmp_path_factory.mktemp("h"), names=["ada"], tls=signed) as one:
        yield one


def url(host: Live) -> str:
    return f"https://127.0.0.1:{host.port}"


def test_an_authority_that_is_named_is_trusted(host: Live, signed: Signed) -> None:
    ask = ("--url", url(host), "--ca", str(signed.ca))
    for verb in (("status",), ("show", "ada"), ("explain", "ada"), ("events",)):
        done = aerostat(*verb, *ask, environment=TOKEN)
        assert done.returncode == 0, done.stderr
        assert "ada" in done.stdout
    done = aerostat("hold", "ada", "--for", "1s", *ask, environment=TOKEN)
    assert done.returncode == 0, done.stderr


def test_an_authority_of_the_systems_store_is_trusted(host: Live, signed: Signed) -> None:
    trusted = {**TOKEN, "SSL_CERT_FILE": str(signed.ca)}
    done = aerostat("status", "--url", url(host), environment=trusted)
    assert done.returncode == 0, done.stderr
    assert "ada" in done.stdout


def test_an_unknown_authority_is_not_trusted_and_the_way_out_is_told(
    host: Live, tmp_path: Path
) -> None:
    done = aerostat("status", "--url", url(host), environment=TOKEN)
    assert (done.returncode, done.stdout) == (3, "")
    assert "name that one's with --ca FILE" in done.stderr
    other = signed_for("127.0.0.1", tmp_path)
    done = aerostat("status", "--url", url(host), "--ca", str(other.ca), environment=TOKEN)
    assert done.returncode == 3


@pytest.mark.parametrize(
    ("arguments", "token", "words"),
    [
        (("--url", "host:9730"), CONTROL, "no address of a daemon"),
        (("--url", "ftp://host"), CONTROL, "no address of a daemon"),
        (("--url", "https://"), CONTROL, "no address of a daemon"),
        (("--url", "https://[::1"), CONTROL, "--url"),
        (("--url", "https://host:99999999"), CONTROL, "--url"),
        (("--url", "http://127.0.0.1:1"), "Schlüssel", "plain ASCII"),
        (("--url", "http://127.0.0.1:1"), "two\nlines", "plain ASCII"),
        (("--ca", "/nowhere.pem"), CONTROL, "--ca goes with --url"),
        (("--url", "https://127.0.0.1:1", "--ca", "/nowhere.pem"), CONTROL, "/nowhere.pem"),
        (("--url", "https://127.0.0.1:1", "--ca", __file__), CONTROL, "no PEM file"),
        (("--url", "http://127.0.0.1:1", "--socket", "/a.sock"), CONTROL, "give one of them"),
    ],
)
def test_what_cannot_be_asked_is_wrong_usage(
    arguments: tuple[str, ...], token: str, words: str
) -> None:
    done = aerostat("status", *arguments, environment={"AEROSTAT_TOKEN": token})
    assert (done.returncode, done.stdout) == (2, "")
    assert words in done.stderr
    assert "Traceback" not in done.stderr


def test_a_wrong_token_is_refused(host: Live, signed: Signed) -> None:
    ask = ("--url", url(host), "--ca", str(signed.ca))
    done = aerostat("status", *ask, environment={"AEROSTAT_TOKEN": "another-token-altogether"})
    assert done.returncode == 4
    assert "token" in done.stderr
