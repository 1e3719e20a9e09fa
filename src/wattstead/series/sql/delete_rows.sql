ALTER TABLE {table} DELETE {partition} WHERE {where}
