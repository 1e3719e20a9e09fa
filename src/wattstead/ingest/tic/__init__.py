"""Linky meters by their customer output (télé-information client, TIC): modes historique and standard."""
