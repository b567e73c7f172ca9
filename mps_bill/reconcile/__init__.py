"""Our bills beside the provider's: reading its bill exports, and every difference with its category and amount."""
