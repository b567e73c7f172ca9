"""Usage files to totals: the only package that reads every row."""
