"""Wattstead turns meters into exact energy, money and carbon; each room has its own docstring."""

__version__ = "0.1.0"
