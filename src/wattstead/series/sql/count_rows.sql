SELECT point, count() AS rows
FROM {table}
PREWHERE {where}
GROUP BY point
ORDER BY point
