"""Totals to line items: what is billed of a quantity, and at which price."""
