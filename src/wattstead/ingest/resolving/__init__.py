"""Resolving: from a key and an address to a point; in memory, and by the registry where memory does not know."""
