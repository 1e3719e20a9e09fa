arraySum(arrayMap((t0, t1, v1) -> if(t1 - t0 > max_gap_us OR abs(v1) > 1e11, 0, toInt64(least(greatest(round(v1 * ((t1 - t0) / 1000.)), -1152921504606846976.), 1152921504606846976.))), t0, t1, v1))
