-- What newer readings took the place of, in order of time; of one time in the order in which they came.
SELECT point, time, value, quality, version, replaced_by
FROM reading_replaced FINAL
PREWHERE {where}
ORDER BY point, time, version
LIMIT {limit}
