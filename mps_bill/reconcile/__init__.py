"""Our bills compared with the provider's: reading its bill exports, and every difference with its category and amount."""
