"""The door: one protocol each, from a device's bytes to readings that are safe on disk; judges and answers nothing else.

`wattstead.ingest.http.IngestApp` serves every HTTP protocol of the table in `wattstead.ingest.protocols`.
"""
