"""Usage groups to charges, lines and bills: what is billed of a quantity, at which price, and what that comes to in money."""
