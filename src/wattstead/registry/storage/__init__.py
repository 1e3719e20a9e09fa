"""Storage: the database behind the registry, its schema, backups and counters; knows no rule of a noun."""
