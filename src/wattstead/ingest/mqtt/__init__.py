"""MQTT as a source: any broker, the payloads of common devices and free mappings; the broker of our own is not here."""
