toInt64(least(greatest(round(value / quantum), -9007199254740992.), 9007199254740992.))
