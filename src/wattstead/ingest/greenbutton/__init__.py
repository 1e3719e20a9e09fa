"""Green Button (ESPI): what a utility knows of its customers' meters, posted, imported from a file or fetched."""
