SELECT name, max(value) AS value
FROM mark
GROUP BY name
