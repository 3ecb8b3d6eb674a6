"""What was measured on which device, kept with the course: `assets/benchmarks.json`."""

import json
from dataclasses import asdict
from pathlib import Path

from gan_course import files
from gan_course.bench.report import Bench, Line
from gan_course.errors import CourseError


def path() -> Path:
    """Where the file lies."""
    return files.assets_dir() / "benchmarks.json"


def read() -> list[Bench]:
    """All that was kept; none where there is no file.

    Raises:
        CourseError: the file is damaged.
    """
    try:
        rows = json.loads(path().read_text(encoding="utf-8"))
        return [Bench(**{**row, "lines": tuple(Line(**line) for line in row["lines"])}) for row in rows]
    except FileNotFoundError:
        return []
    except (ValueError, TypeError, KeyError) as error:
        raise CourseError(
            f"{path()} is damaged ({error}): remove it, and `bench --keep` writes it anew"
        ) from None


def keep(bench: Bench) -> Path:
    """Add a comparison, in place of an older one of the same recipe on the same device.

    Raises:
        CourseError: the file is damaged or cannot be written.
    """
    others = [other for other in read() if _key(other) != _key(bench)]
    content = json.dumps([asdict(b) for b in sorted([*others, bench], key=_key)], indent=1)
    return files.write_atomically(path(), content.encode() + b"\n")


def _key(bench: Bench) -> tuple[str, ...]:
    """On what device, and what."""
    return bench.evidence["device"], bench.evidence.get("cpu", ""), json.dumps(bench.recipe)
