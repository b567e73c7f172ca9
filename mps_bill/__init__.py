"""Exact, explainable bills for ApsaraVideo Media Processing."""

__version__ = "0.1.0"
