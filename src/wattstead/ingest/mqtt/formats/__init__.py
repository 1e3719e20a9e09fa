"""What devices publish, a file a family: which topics are theirs, and what a payload says. Nothing here connects."""
