"""Which resource packs to buy: packs on sale with their prices, and what each would have saved on the given usage."""
