"""The provider's own answers, fetched by its official client and written down as they came. Nothing is computed here."""
