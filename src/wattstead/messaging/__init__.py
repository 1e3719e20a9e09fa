"""Saying things to people: mails that wait are sent; what is said and to whom is decided by others."""
