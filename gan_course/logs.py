"""Telemetry that others wrote: a log as the DCGAN tutorial prints it, or a CSV."""

import csv
import re
from pathlib import Path

import numpy as np

from gan_course import files
from gan_course.errors import CourseError
from gan_course.history import COLUMNS, MEASURED, History

TUTORIAL = re.compile(
    r"\[(?P<epoch>\d+)/\d+\]\[(?P<i>\d+)/(?P<n>\d+)\]\s*Loss_D:\s*(?P<loss_d>\S+)\s+Loss_G:\s*(?P<loss_g>\S+)\s+"
    r"D\(x\):\s*(?P<d_real>\S+)\s+D\(G\(z\)\):\s*(?P<d_fake>\S+)\s*/\s*(?P<d_fake_after>\S+)"
)
ALIASES = {  # as others call the columns; letters and digits alone
    "step": ("step", "steps", "iteration", "iter"),
    "loss_d": ("lossd", "dloss", "errd", "discriminatorloss"),
    "loss_g": ("lossg", "gloss", "errg", "generatorloss"),
    "d_real": ("dreal", "dx", "realscore"),
    "d_fake": ("dfake", "dgz", "dgz1", "fakescore"),
    "d_fake_after": ("dfakeafter", "dgz2"),
    "right_real": ("rightreal", "accreal", "accuracyreal"),
    "right_fake": ("rightfake", "accfake", "accuracyfake"),
}


def read(path: str | Path) -> History:
    """The telemetry in a file; NaN where nothing was measured, infinite where a loss was printed as `nan`.

    A CSV has a header with names as in `history.COLUMNS`, or as others call them (`D_loss`, `errG`, `D(x)`); a row a
    step, unless a column says which.

    Raises:
        CourseError: it cannot be read, or holds no telemetry.
    """
    path = files.user_path(path, "log")
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, ValueError) as error:
        raise CourseError(f"{path} cannot be read as text ({error}): give a log or a CSV") from None
    rows = [match.groupdict() for match in TUTORIAL.finditer(text)]
    for row in rows:
        row["step"] = str(int(row["epoch"]) * int(row["n"]) + int(row["i"]))
    return _history(rows or _csv(text, path), path)


def _csv(text: str, path: Path) -> list[dict[str, str]]:
    known = {alias: column for column, aliases in ALIASES.items() for alias in aliases}
    lines = csv.reader(text.splitlines())
    columns = [known.get(re.sub("[^a-z0-9]", "", title.lower())) for title in next(lines, [])]
    if not set(columns) & set(MEASURED):
        raise CourseError(
            f"{path} is neither a log in the tutorial's format nor a CSV whose first line names "
            f"{', '.join(list(ALIASES)[1:])}"
        )
    rows = [{column: cell for column, cell in zip(columns, line, strict=False) if column} for line in lines if line]
    for i, row in enumerate(rows):
        row.setdefault("step", str(i))
    return rows


def _history(rows: list[dict[str, str]], path: Path) -> History:
    """Rows of texts as telemetry; an empty cell is nothing measured."""
    values = np.full((len(rows), len(COLUMNS)), np.nan)
    for row, texts in zip(values, rows, strict=True):
        for i, column in enumerate(COLUMNS):
            try:
                row[i] = float(text) if (text := texts.get(column, "").strip()) else np.nan
                if column in ("loss_d", "loss_g") and text and np.isnan(row[i]):
                    row[i] = np.inf
            except ValueError:
                raise CourseError(f"{path}: {column} is {texts[column]!r}, which is no number") from None
    if len(values) and np.isnan(values[:, 0]).any():
        raise CourseError(f"{path}: some rows have no step: fill that column, or leave it out")
    return History(values)
