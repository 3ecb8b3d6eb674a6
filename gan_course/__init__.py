"""A course on generative adversarial networks: the package that trains every network in it."""

import os

__version__ = "0.1.0"

# Two programs that compute on the same cores must not spin while they wait for each other: with OpenMP's
# default, two notebooks on two cores can be twenty times slower than one. Read when torch is first imported.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
