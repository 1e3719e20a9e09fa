"""People: accounts, passwords, sessions: who may sign in, and who has."""
