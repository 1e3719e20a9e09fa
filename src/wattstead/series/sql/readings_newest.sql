-- The newest readings of one point as they stand, newest first.
SELECT point, time, value, quality, version
FROM reading FINAL
PREWHERE {where}
ORDER BY time DESC
LIMIT {limit}
