"""Store, rollups and saved position kept in step: what is stored, rolled up again, removed, and no longer kept."""
