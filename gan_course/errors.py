"""The one exception the course raises on purpose."""


class CourseError(ValueError):
    """Something the reader can mend: one line that says what is wrong and what would work.

    The command line prints it and leaves with status 2; a notebook shows it like any ValueError.
    """
