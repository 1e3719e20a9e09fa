"""The door: one protocol each, from a device's bytes to readings safe on disk; judges nothing, answers no question.

`wattstead.ingest.http.app.IngestApp` serves every HTTP protocol of the table in `wattstead.ingest.protocols`.
"""
