"""One module for each format, which can write any view; only `formats.py` lists them."""
