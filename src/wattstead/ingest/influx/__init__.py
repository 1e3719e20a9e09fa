"""InfluxDB's line protocol, versions 1 and 2 of its write interface; asks nothing of stored readings."""
