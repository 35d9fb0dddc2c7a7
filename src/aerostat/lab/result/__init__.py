"""The result document: what an experiment found, as JSON that others can read and check."""

from aerostat.lab.result.document import Document, result_document
from aerostat.lab.result.table import result_table, verdict_text
from aerostat.lab.result.verdict import verdict
from aerostat.present.schema import SCHEMA_NAME, result_schema

__all__ = [
    "SCHEMA_NAME",
    "Document",
    "result_document",
    "result_schema",
    "result_table",
    "verdict",
    "verdict_text",
]
