-- Readings as they stand, in any order.
SELECT point, time, value, quality, version
FROM reading FINAL
PREWHERE {where}
LIMIT {limit}
