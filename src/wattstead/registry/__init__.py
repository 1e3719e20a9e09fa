"""Who and what exists: organizations, sites, points, addresses, keys, accounts; holds no reading.

`registry.registry.Registry` is the door; `records` and `errors` need no database library, so the edge can use them.
"""
