"""The progress bar of all long work."""

import sys

from tqdm import tqdm


def bar(**options) -> tqdm:
    """tqdm's bar with its own options, on the terminal's stderr, or in a notebook on stdout.

    A notebook paints stderr red, and a recorded lesson keeps none of it.
    """
    return tqdm(file=sys.stdout if _in_notebook() else sys.stderr, **options)


def _in_notebook() -> bool:
    """Whether a Jupyter kernel runs this process; where none does, IPython need not even be installed."""
    shell = sys.modules["IPython"].get_ipython() if "IPython" in sys.modules else None
    return hasattr(shell, "kernel")
