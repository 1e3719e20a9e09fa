point {among} (SELECT point FROM rule FINAL WHERE zone {sign} '{zone}')
