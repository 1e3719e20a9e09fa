SELECT point, time, value
FROM reading FINAL
PREWHERE {where}
