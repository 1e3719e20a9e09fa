"""Joining: how people come in and come back, by invitation, registration and mailed links, and the mails that wait."""
