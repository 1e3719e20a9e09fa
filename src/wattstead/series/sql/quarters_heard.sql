-- Of each point the quarter hours of a day in which readings came, as two sets of 48 bits.
SELECT
    point,
    groupBitOr(if(slot < 48, bitShiftLeft(toUInt64(1), toUInt8(slot)), toUInt64(0))) AS early,
    groupBitOr(if(slot >= 48, bitShiftLeft(toUInt64(1), toUInt8(slot - 48)), toUInt64(0))) AS late
FROM
(
    SELECT point, intDiv(toUnixTimestamp(start) - {first}, 900) AS slot
    FROM quarter FINAL
    PREWHERE {where}
    WHERE count > 0
)
GROUP BY point
