"""Our bills beside the provider's: reading its bill exports, and every difference with its class and amount."""
