"""The demo: two recorded homes and a small fleet, their people, and the present that is played to them."""
