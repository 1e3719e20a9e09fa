"""Places: organizations, sites, devices and the keys that open them."""
