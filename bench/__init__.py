"""One script for each speed or size that is claimed, and the made-up lakes that they measure."""
