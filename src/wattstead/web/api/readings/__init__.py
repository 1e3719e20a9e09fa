"""Readings over HTTP: points, and what was measured at them: history, single readings, corrections, live streams."""
