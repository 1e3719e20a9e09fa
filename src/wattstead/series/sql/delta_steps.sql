if(mode = 3, arraySum(arrayMap(value -> {register_count}, v)), pair_step)
