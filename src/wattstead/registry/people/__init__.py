"""People: accounts, memberships, sessions, joining: who may sign in, and who has; how they show it is in `proofs`."""
