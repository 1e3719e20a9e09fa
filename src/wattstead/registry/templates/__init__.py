"""Templates: what a model of device measures, from which devices with their points are made."""
