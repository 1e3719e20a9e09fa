"""Rollups: which minutes, quarter hours and days are made again, from what, and in which statements."""
