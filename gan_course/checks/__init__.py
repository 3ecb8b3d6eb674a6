"""Checks for the exercises, a module a lesson. Each says what is wrong in the words of the exercise."""

from gan_course.errors import CourseError


class NotYet(CourseError):
    """An exercise is not right yet. A notebook shows the message alone, without a traceback."""

    def _render_traceback_(self) -> list[str]:
        return [f"✗ {self}"]


def passed(message: str) -> None:
    """Say that an exercise is right."""
    print(f"✓ {message}")


def run(exercise: str, function, *arguments):
    """Call what a student wrote, and put the two commonest misfortunes into words.

    Raises:
        NotYet: the stub is still there, or the call itself failed; says how.
    """
    if function is ...:
        raise NotYet(f"exercise {exercise} still waits for your code")
    try:
        result = function(*arguments)
    except NotImplementedError:
        raise NotYet(f"exercise {exercise} still waits for your code") from None
    except NotYet:
        raise
    except Exception as error:
        raise NotYet(
            f"exercise {exercise}: your code stopped with {type(error).__name__}: {error}"
        ) from error
    if result is ...:
        raise NotYet(f"exercise {exercise} still returns `...`: put your code there")
    return result
