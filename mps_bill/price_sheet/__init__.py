"""YAML price sheets: read by position, checked, and gathered in the price book of a run."""
