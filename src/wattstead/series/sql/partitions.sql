SELECT DISTINCT CAST(_partition_id AS String) AS partition
FROM {table}
WHERE {where}
ORDER BY partition
