"""Who asks, by which cookie or provider, and whether the declared right is theirs; rights are kept elsewhere."""
