SELECT DISTINCT _partition_id AS partition
FROM {table}
WHERE {where}
ORDER BY partition
