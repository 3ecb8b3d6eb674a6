"""Is this machine ready for the course? One line a finding, and what to do where something is wanting."""

import importlib.metadata
import platform
import shutil
import sys

import torch

from gan_course import data, devices, files, profiles, runs
from gan_course.errors import CourseError

LEAST_FREE = 1e9  # bytes: both whole image sets and a few runs
PACKAGES = ("ipywidgets", "torchvision", "numpy", "matplotlib", "pillow", "tqdm", "safetensors")


def report() -> int:
    """Print the findings.

    Returns:
        0 if every lesson can run, 1 if something has to be mended first.
    """
    wanting = 0
    for name, check in CHECKS.items():
        try:
            fine, found = check()
        except (CourseError, RuntimeError, OSError) as error:
            fine, found = False, devices.trouble(error) or " ".join(str(error).split())
        wanting += not fine
        print(f"{'✓' if fine else '✗'} {name:<14} {found}")
    print(
        "ready: `make lab` opens the first lesson"
        if not wanting
        else f"{wanting} to mend before the lessons run"
    )
    return 1 if wanting else 0


def _python():
    fine = sys.version_info >= (3, 10)
    return fine, platform.python_version() + ("" if fine else ": the course needs 3.10 or newer")


def _packages():
    missing = []
    for name in PACKAGES:
        try:
            importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            missing.append(name)
    if missing:
        return False, f"missing: {', '.join(missing)}; `pip install {' '.join(missing)}`"
    return (
        True,
        f"torch {torch.__version__}, torchvision {importlib.metadata.version('torchvision')} and the rest",
    )


def _device():
    device = devices.default()
    result = torch.randn(64, 64, device=device).mm(torch.randn(64, 64, device=device))
    fine = bool(result.isfinite().all())
    return fine, devices.name(device) + (
        "" if fine else ": a small matrix product is not finite, try again"
    )


def _profile():
    chosen = profiles.current()
    return True, f"{chosen.name}: {chosen.about}"


def _images(name):
    return lambda: (True, data.load(name, download=False).source)


def _disk():
    cache = files.cache_dir()
    there = next(folder for folder in (cache, *cache.parents) if folder.exists())
    free = shutil.disk_usage(there).free
    fine = free > LEAST_FREE
    advice = "" if fine else f": {LEAST_FREE / 1e9:.0f} GB are wanted; GAN_COURSE_CACHE chooses another disk"
    return fine, f"{free / 1e9:.1f} GB free for downloads in {cache}{advice}"


def _runs():
    for name in runs.published():
        runs.Run(files.assets_dir() / "runs" / name).generator()
    return True, f"published runs: {', '.join(runs.published()) or 'none'}"


CHECKS = {
    "python": _python,
    "packages": _packages,
    "device": _device,
    "profile": _profile,
    **{name: _images(name) for name in data.SETS},
    "disk": _disk,
    "runs": _runs,
}
