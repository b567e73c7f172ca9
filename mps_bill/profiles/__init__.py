"""Import profiles: how the records of another file format are read as usage."""
