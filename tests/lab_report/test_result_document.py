"""The result document: its shape is the schema's, and what was not measured is not in it."""

import json
from collections.abc import Callable
from typing import Any

import jsonschema
import pytest

from aerostat.lab.result import SCHEMA_NAME, Document, result_document, result_schema
from aerostat.present.text import document_text
from lab_report import synthetic
from lab_report.rows import arm, experiment, sample, second, served_arm

FIXED_KEYS = {"schema", "aerostat", "started", "accelerator", "machine", "world", "arms"}


@pytest.fixture(scope="module")
def validator() -> jsonschema.Draft202012Validator:
    schema = result_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


@pytest.fixture
def document() -> Document:
    return result_document(synthetic.experiment(repeats=1))


def test_a_document_satisfies_its_schema(
    validator: jsonschema.Draft202012Validator, document: Document
) -> None:
    validator.validate(document)
    assert set(document) >= FIXED_KEYS
    assert document["schema"] == SCHEMA_NAME


def test_a_document_survives_json(document: Document) -> None:
    assert json.loads(document_text(document)) == document


@pytest.mark.parametrize(
    "seconds",
    [[], [second(1, None)], [second(1, sample(offered=0, served=0, histogram={}))]],
    ids=["nothing", "silence", "no load"],
)
def test_documents_of_poor_recordings_are_valid_too(
    validator: jsonschema.Draft202012Validator, seconds: list[Any]
) -> None:
    validator.validate(result_document(experiment(arm(seconds))))


def test_what_was_not_measured_is_absent() -> None:
    (found,) = result_document(experiment(arm([second(1, sample())])))["arms"]
    for key in ("guest_swap_in_bytes", "host_memory_mean_bytes", "daemon_cpu_s", "recovery_s"):
        assert key not in found
    assert "unconstrained_ratio" not in found
    assert "actual_bytes" not in found["series"]["guests"]["a"]
    assert None not in found.values()


def test_an_invalid_arm_says_why(validator: jsonschema.Draft202012Validator) -> None:
    document = result_document(experiment(arm([second(1, sample())], why_invalid="a guest died")))
    validator.validate(document)
    assert document["arms"][0]["valid"] is False
    assert document["arms"][0]["why_invalid"] == "a guest died"


def test_series_have_a_cell_for_every_second_and_null_for_silence() -> None:
    rows = [
        second(1, sample(swap_in_bytes=10)),
        second(2, None),
        second(3, sample(swap_in_bytes=4)),
    ]
    (found,) = result_document(experiment(arm(rows)))["arms"]
    columns = found["series"]["guests"]["a"]
    assert found["series"]["elapsed_s"] == [1, 2, 3]
    assert columns["served"] == [100, None, 100]
    assert columns["swap_in_bytes"] == [None, None, 4]  # the counter was reset in between


def test_a_recovery_that_did_not_come_is_null_and_named(document: Document) -> None:
    static = document["arms"][1]
    assert static["recovery_s"] == [None, None, None]
    assert {entry["state"] for entry in static["recoveries"]} == {"not_recovered"}


def test_repeats_are_kept_apart() -> None:
    both = (served_arm("static", [90], repeat=0), served_arm("static", [95], repeat=1))
    arms = result_document(experiment(*both))["arms"]
    assert [(found["repeat"], found["served_ratio"]) for found in arms] == [(0, 0.9), (1, 0.95)]


def _without_arms(document: Document) -> None:
    del document["arms"]


def _other_schema(document: Document) -> None:
    document["schema"] = "aerostat.result/2"


def _unknown_accelerator(document: Document) -> None:
    document["accelerator"] = "xen"


def _local_time(document: Document) -> None:
    document["started"] = "2026-01-02 03:04:05"


def _ratio_in_percent(document: Document) -> None:
    document["arms"][0]["served_ratio"] = 99.4


def _null_figure(document: Document) -> None:
    document["arms"][0]["oom_kills"] = None


def _negative_bytes(document: Document) -> None:
    document["arms"][0]["guests"]["web"]["guest_swap_in_bytes"] = -1


def _invalid_without_reason(document: Document) -> None:
    document["arms"][0]["valid"] = False


def _nameless_arm(document: Document) -> None:
    del document["arms"][0]["policy"]


def _text_in_series(document: Document) -> None:
    document["arms"][0]["series"]["guests"]["web"]["served"][0] = "2000"


def _recovered_without_time(document: Document) -> None:
    document["arms"][0]["recoveries"][0].pop("recovery_s")


@pytest.mark.parametrize(
    "spoil",
    [
        _without_arms,
        _other_schema,
        _unknown_accelerator,
        _local_time,
        _ratio_in_percent,
        _null_figure,
        _negative_bytes,
        _invalid_without_reason,
        _nameless_arm,
        _text_in_series,
        _recovered_without_time,
    ],
)
def test_the_schema_rejects(
    spoil: Callable[[Document], None],
    document: Document,
    validator: jsonschema.Draft202012Validator,
) -> None:
    spoil(document)
    assert not validator.is_valid(document)
