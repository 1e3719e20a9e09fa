"""Wattstead's own way to send readings: JSON rows, JSON columns, Arrow; one route."""
