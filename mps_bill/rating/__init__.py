"""Totals to line items and bills: what is billed of a quantity, at which price, and what that comes to in money."""
