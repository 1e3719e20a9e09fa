"""The store process: the embedded engine behind a small ClickHouse HTTP front, its lanes and its supervision.

It knows nothing of readings: tables and questions are the affair of `series`, which knows only an address.
"""
