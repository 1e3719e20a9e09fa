"""Prometheus remote write, version 1: what a Prometheus, Grafana Alloy or vmagent sends on."""
