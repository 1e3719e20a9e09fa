arraySum(arrayMap((t0, v0, t1, v1) -> if(t1 - t0 > max_gap_us, 0, toInt64(least(greatest(round((v0 + v1) * ((t1 - t0) / 2000.)), -1152921504606846976.), 1152921504606846976.))), t0, v0, t1, v1))
