"""What the doctor found, for people and as JSON."""

import textwrap
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

from aerostat import __version__
from aerostat.doctor.examine import Examination
from aerostat.doctor.finding import Finding, Grade
from aerostat.doctor.vm_verdict import VmReport
from aerostat.present.printable import printable
from aerostat.story.remembered import known_only

SCHEMA = "aerostat.doctor/1"
_WIDTH = 80
_MARKS = {Grade.GOOD: "ok", Grade.ADVICE: "advice", Grade.PROBLEM: "PROBLEM", Grade.UNKNOWN: "?"}


def examination_text(found: Examination) -> str:
    """A block for the host and one a VM, problems with their fix below."""
    blocks = []
    if found.host:
        blocks.append(_block("Host", found.host))
    blocks += [_block(_heading(report), report.findings) for report in found.vms]
    if not found.vms:
        blocks.append("No VM is to be seen here. Name its monitor: aerostat doctor --qmp PATH")
    return "\n\n".join(blocks)


def examination_document(found: Examination) -> dict[str, object]:
    """As JSON; what is not known is absent."""
    return {
        "schema": SCHEMA,
        "aerostat": __version__,
        "at": datetime.now(tz=UTC).isoformat(timespec="milliseconds"),
        "has_problem": found.has_problem,
        "host": [_finding(finding) for finding in found.host],
        "vms": [_vm(report) for report in found.vms],
    }


def _vm(report: VmReport) -> dict[str, object]:
    facts, monitor = report.facts, report.facts.monitor
    return {
        "name": facts.name,
        **known_only(
            pid=facts.process.pid if facts.process is not None else None,
            max_bytes=monitor.max_bytes if monitor is not None else None,
            actual_bytes=monitor.actual_bytes if monitor is not None else None,
        ),
        "platform": facts.platform,
        "verdict": report.verdict.value,
        "findings": [_finding(finding) for finding in report.findings],
    }


def _finding(finding: Finding) -> dict[str, object]:
    return {
        "check": finding.check,
        "grade": finding.grade.value,
        "says": finding.says,
        **known_only(fix=finding.fix),
    }


def _heading(report: VmReport) -> str:
    process = report.facts.process
    where = f", process {process.pid}" if process is not None else ""
    return f"{printable(report.facts.name)} ({report.facts.platform}{where}): {report.verdict}"


def _block(heading: str, findings: Sequence[Finding]) -> str:
    return "\n".join([heading, *(line for finding in findings for line in _lines(finding))])


def _lines(finding: Finding) -> Iterator[str]:
    mark = f"  {_MARKS[finding.grade]:<8} "
    yield from textwrap.wrap(
        printable(finding.says), _WIDTH, initial_indent=mark, subsequent_indent=" " * len(mark)
    )
    if finding.fix is not None:
        indent = " " * len(mark)
        # A command is to be copied: it is not broken at a hyphen.
        yield from textwrap.wrap(
            printable(finding.fix),
            _WIDTH,
            initial_indent=f"{indent}-> ",
            subsequent_indent=f"{indent}   ",
            break_on_hyphens=False,
            break_long_words=False,
        )
