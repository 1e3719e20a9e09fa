-- Readings as they stand, one page in order of (point, time).
SELECT point, time, value, quality, version
FROM reading FINAL
PREWHERE {where}
ORDER BY point, time
LIMIT {limit}
