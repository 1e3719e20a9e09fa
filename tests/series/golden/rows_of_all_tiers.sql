SELECT point, start, count, min, max, sum, first_time, first_value, last_time, last_value, step, flags, version
FROM day
PREWHERE point IN (7, 11) AND start >= 1774566000 AND start <= 1774738799;
SELECT point, start, count, min, max, sum, first_time, first_value, last_time, last_value, step, flags, version
FROM quarter
PREWHERE point IN (7, 11) AND start >= 1774738800 AND start <= 1774739699;
SELECT point, start, count, min, max, sum, first_time, first_value, last_time, last_value, step, flags, version
FROM minute
PREWHERE point IN (7, 11) AND toStartOfHour(start) >= 1774738800 AND toStartOfHour(start) <= 1774738800 AND start >= 1774739700 AND start <= 1774739759;
SELECT point, time, value
FROM reading FINAL
PREWHERE point IN (7, 11) AND time >= '2026-03-28 23:16:00.000000' AND time < '2026-03-29 22:00:00.000000'
