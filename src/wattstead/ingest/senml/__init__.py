"""SenML, Sensor Measurement Lists (RFC 8428), posted as JSON."""
