"""What becomes of readings in the end: kept for a time, removed, copied into a backup; and how the tables are."""
