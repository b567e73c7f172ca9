"""Money, quantities, times and places in input files: the basis of all other packages."""
