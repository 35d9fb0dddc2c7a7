"""Every driver keeps every promise, but for what its hypervisor cannot do."""

from pathlib import Path

import pytest

from drivers.contract.kinds import CASES, KINDS
from drivers.contract.page import page
from drivers.contract.rig import Case, RigKind

PAIRS = [
    pytest.param(kind, case, id=f"{kind.name}-{case.name}", marks=kind.marks)
    for kind in KINDS.values()
    for case in CASES.values()
    if case.name not in kind.cannot
]


@pytest.mark.parametrize(("kind", "case"), PAIRS)
def test_contract(kind: RigKind, case: Case, tmp_path: Path) -> None:
    why = kind.missing()
    if why is not None:
        pytest.skip(why)
    kind.play(case, tmp_path)


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_what_a_hypervisor_cannot_do_is_a_case(kind: RigKind) -> None:
    assert set(kind.cannot) <= set(CASES)


def test_the_page_is_as_the_suite_is() -> None:
    """What docs/drivers.md says of a driver is what is tested."""
    written = Path(__file__).parents[3] / "docs" / "drivers.md"
    assert written.read_text(encoding="utf-8") == page(), "run script/drivers"
