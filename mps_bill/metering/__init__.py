"""Usage files to totals: the only room that touches every row."""
