"""Steps of the schema, oldest first; each keeps the data it finds."""
