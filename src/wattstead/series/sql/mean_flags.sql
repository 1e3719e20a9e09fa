arrayMap((t0, t1, v1) -> toUInt16(if(abs(v1) > 1e11, 8, 0) + if(t1 - t0 > max_gap_us, 32, 0)), t0, t1, v1)
