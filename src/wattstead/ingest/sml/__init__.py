"""Meters that speak SML, the Smart Message Language of electricity meters in Germany."""
