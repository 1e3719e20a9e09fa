"""What is made up: a solar home or a fleet of sites, with plausible readings that follow from a seed."""
