"""A small shop with a month behind it, to see Expost full of data."""
