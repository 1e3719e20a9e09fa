"""Proofs: how people show who they are, by passwords, codes, passkeys, outside providers; how often they try."""
