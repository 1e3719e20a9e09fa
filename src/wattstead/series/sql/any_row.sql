SELECT 1 AS one
FROM {table}
WHERE {where}
LIMIT 1
