arrayMap((t0, a, t1, b) -> {register_flag}, t0, counts0, t1, counts1)
