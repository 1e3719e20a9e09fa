SELECT point, time, value, quality, version
FROM reading FINAL
PREWHERE {where}
