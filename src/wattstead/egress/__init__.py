"""Telling other systems: live values to a broker, with what Home Assistant needs to show them; it stores nothing.

Which points there are and what they say comes as arguments: rooms of one floor do not know each other.
"""
