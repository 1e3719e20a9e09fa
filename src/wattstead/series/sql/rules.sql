SELECT {names}
FROM rule FINAL
WHERE {where}
ORDER BY point
