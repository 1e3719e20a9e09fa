"""Sparkplug B: payloads, what they say, and the state of edge nodes that gives their aliases names."""
