"""Defaults of options: the config file `mps-bill.yaml`, and environment variables, which win over it."""
