"""A small shop with a year of visitors, to see Expost full of data."""
