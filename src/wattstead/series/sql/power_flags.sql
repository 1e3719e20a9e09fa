arrayMap((t0, t1) -> toUInt16(if(t1 - t0 > max_gap_us, 32, 0)), t0, t1)
