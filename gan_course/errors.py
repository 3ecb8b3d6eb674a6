"""The one exception the course raises on purpose, and numbers that somebody gives."""

import operator


class CourseError(ValueError):
    """Something the reader can mend: one line that says what is wrong and what would work.

    The command line prints it and leaves with status 2; a notebook shows it like any ValueError.
    """


def whole(value, name: str, least: int = 0, most: int | None = None) -> int:
    """A whole number as Python's own, whether Python, NumPy or a tensor holds it.

    Raises:
        CourseError: it is no whole number, or not from `least` to `most`.
    """
    try:
        number = None if isinstance(value, bool) else operator.index(value)
    except TypeError:
        number = None
    if number is None or number < least or (most is not None and number > most):
        limit = f"from {least}" + ("" if most is None else f" to {most}")
        raise CourseError(f"{name} {value!r}: a whole number {limit} works")
    return number
