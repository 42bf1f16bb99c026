"""The folder of Parquet: what was captured, kept for ever and read by any engine."""
