"""People: accounts, memberships, sessions; how they come in is in `joining`, how they show who they are in `proofs`."""
