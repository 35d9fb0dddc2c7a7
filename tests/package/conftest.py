"""The package under test, built once."""

from pathlib import Path

import pytest

from package.building import built_package


@pytest.fixture(scope="session")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Debian package of this checkout."""
    return built_package(tmp_path_factory.mktemp("deb"))
