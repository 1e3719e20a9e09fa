"""Sites: what is known about them, their spaces, and who else may look at them."""
