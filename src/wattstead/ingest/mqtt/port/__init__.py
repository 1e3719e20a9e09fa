"""A port of our own that devices publish to with MQTT where a home has no broker; nobody can subscribe there."""
