"""Wording: a count and its noun as people say them in English; pages have their own words."""

from __future__ import annotations


def counted(count: float, noun: str) -> str:
    """A count with its noun, which takes an s beside anything but one.

    >>> counted(1, "point"), counted(0.5, "year"), counted(12_345, "reading")
    ('1 point', '0.5 years', '12,345 readings')
    """
    return f"{count:,.15g} {noun}{'' if count == 1 else 's'}"
