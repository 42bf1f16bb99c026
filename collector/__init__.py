"""What the browser talks to: batches in, acknowledged rows out."""
