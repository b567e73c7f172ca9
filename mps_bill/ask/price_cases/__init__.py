"""Usage cases beside a price sheet: usage rows and what they must come to, run like unit tests."""
