"""Checks for the exercises, a module a lesson. Each says what is wrong in the words of the exercise."""

from gan_course.errors import CourseError


class NotYet(CourseError):
    """An exercise is not right yet. A notebook shows the message alone, without a traceback."""

    def _render_traceback_(self) -> list[str]:
        return [f"✗ {self}"]


def passed(message: str) -> None:
    """Say that an exercise is right."""
    print(f"✓ {message}")
