"""Minutes that are counted while their readings pass, and those that have to be computed again."""
