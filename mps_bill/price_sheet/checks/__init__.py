"""The warnings about price sheets: likely mistakes that do not stop a bill."""
