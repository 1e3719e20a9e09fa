"""MQTT: any broker as a source, payloads of common devices, free mappings; and a port that devices publish to."""
