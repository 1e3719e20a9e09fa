-- Beside each row of `pairs`: the rule of its point.
ANY LEFT JOIN
(
    SELECT point, mode, quantum, width, max_rate, tolerance, max_gap_us, rule_version
    FROM rule FINAL
    WHERE {rule_where}
) AS rules USING (point)
