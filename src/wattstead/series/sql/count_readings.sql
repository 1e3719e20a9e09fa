SELECT count() AS readings
FROM reading
PREWHERE {where}
