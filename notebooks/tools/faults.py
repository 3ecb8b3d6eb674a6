"""Measure which metric notices which fault of a generator of drawn faces (about three minutes of one core):

    python notebooks/tools/faults.py

Lesson 07 reads what it leaves in assets/studies/faults.json.
"""

import json
import sys
import time
from datetime import date

import torch

from gan_course import devices, faults, files, judge, portraits, runs, terminal

SIZES, REPEATS = (250, 700, 2000), 10


def work() -> None:
    began = time.process_time()
    torch.set_num_threads(1)
    world = faults.world(judge.load(portraits.NAME), 2 * SIZES[-1], progress=True)
    table = faults.noticed(world, SIZES, REPEATS)
    found = {
        "made by": "python notebooks/tools/faults.py",
        "date": date.today().isoformat(),
        "processor": devices.processor(),
        "versions": runs.VERSIONS,
        "judge": judge.VERSION,
        "seconds": round(time.process_time() - began),
        "sizes": SIZES,
        "repeats": REPEATS,
        "strengths": {fault: how[1] for fault, how in faults.FAULTS.items()},
        "table": _rounded(table),
    }
    path = files.assets_dir() / "studies" / "faults.json"
    files.write_atomically(path, (json.dumps(found) + "\n").encode())
    print(f"{path}: {found['seconds']} s")


def _rounded(value):
    if isinstance(value, float):
        return float(f"{value:.4g}")
    return {k: _rounded(v) for k, v in value.items()} if isinstance(value, dict) else [_rounded(v) for v in value]


if __name__ == "__main__":
    sys.exit(terminal.command("faults", work))
