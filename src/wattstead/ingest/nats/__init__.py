"""NATS as a source: subjects of JSON, plain or out of a JetStream stream."""
