"""A course on generative adversarial networks: the package that trains every network in it."""

__version__ = "0.1.0"
