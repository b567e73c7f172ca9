"""Which resource packs to buy for some usage: packs with prices as data, and what each would have saved."""
