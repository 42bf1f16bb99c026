"""Product analytics asked afterwards, over one folder of Parquet."""
