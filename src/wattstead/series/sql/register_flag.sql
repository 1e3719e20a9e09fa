toUInt16(bitOr(
    if(t1 - t0 > max_gap_us, 32, 0),
    multiIf(
        greatest(abs(a), abs(b)) >= 9007199254740992 OR max_rate != 0 AND toFloat64(b - a) > abs(max_rate) * (if(max_rate < 0, greatest(t1 - t0, 300000000), t1 - t0) / 1e6), 8,
        b >= a, 0,
        width > 0 AND b - a + width >= 0 AND if(max_rate > 0, toFloat64(b - a + width) <= max_rate * ((t1 - t0) / 1e6), b - a + width <= intDiv(width, 10)), 1,
        a - b <= tolerance, 16,
        b * 100 <= a, 2,
        4)))
