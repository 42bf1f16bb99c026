"""What the page loads: the built script and the wire format in words."""
