toUInt16(if(t1 - t0 > max_gap_us, 32, 0))
