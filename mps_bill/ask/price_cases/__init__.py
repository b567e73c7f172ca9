"""Price cases of price sheets: usage rows and the expected bills, run like unit tests."""
