"""People over HTTP: signing in and out, the own account, invitations, the directory of people."""
