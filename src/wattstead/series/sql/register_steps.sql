arraySum(arrayMap((flag, a, b) -> multiIf(bitAnd(flag, 31) IN (0, 16), b - a, bitAnd(flag, 1) = 1, b - a + width, 0), pair_flags, counts0, counts1))
