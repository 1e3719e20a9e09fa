"""The directory of places: sites and devices searched, filtered and sorted by their attributes."""
