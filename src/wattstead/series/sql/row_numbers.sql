            min(min) AS min_,
            max(max) AS max_,
            sum(sum) AS sum_,
