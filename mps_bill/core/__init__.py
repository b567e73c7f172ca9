"""Money, quantities, time and places in input files: what every other room stands on."""
