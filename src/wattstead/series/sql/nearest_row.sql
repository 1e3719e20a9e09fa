-- The first or last reading that some rollup rows know of, of each point.
SELECT point, {edge}(toUnixTimestamp64Micro({which}_time)) AS at, {pick}({which}_value, {which}_time) AS is
FROM {table} FINAL
PREWHERE {where}
WHERE count > 0
GROUP BY point
