"""Of this project: a package of the same name may be installed beside it."""
