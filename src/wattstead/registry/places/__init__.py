"""Places: organizations, sites, devices, the keys that open them, and the directory of all."""
