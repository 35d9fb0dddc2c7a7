"""Recordings: a daemon's samples and decisions as one Parquet file (docs/recordings.md)."""

from aerostat.store.recording.export import export_recording
from aerostat.store.recording.parts import Part, RecordingHeader
from aerostat.store.recording.read import RecordingReader, is_recording, open_recording
from aerostat.store.recording.write import RecordingWriter

__all__ = [
    "Part",
    "RecordingHeader",
    "RecordingReader",
    "RecordingWriter",
    "export_recording",
    "is_recording",
    "open_recording",
]
