"""Appending readings: their columns and versions, and what they take the place of."""
