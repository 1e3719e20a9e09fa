"""Ways in that are fetched over HTTP from a configurable address: weather, prices, files of a utility."""
