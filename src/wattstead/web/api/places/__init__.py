"""Places over HTTP: organizations, sites, their spaces and devices, who else sees them, the keys that open them."""
