"""Import profiles: what the records of another file format mean as usage."""
