"""A module for each format, which takes any view; `formats.py` is the list of them, and nothing else knows them."""
