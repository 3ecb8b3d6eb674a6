"""What the tests of the exercises' checks share: tables of answers, and what each of them is told."""

import pytest

from gan_course.checks import NotYet


def each(table: dict) -> list:
    """The rows of a table {exercise: rows} as parameters (exercise, row)."""
    return [
        pytest.param(exercise, row, id=f"{exercise}-{n}")
        for exercise, rows in table.items()
        for n, row in enumerate(rows, 1)
    ]


def hand_in(lesson, exercise: int, answer) -> None:
    """Give a check its answer, or its two."""
    getattr(lesson, f"exercise_{exercise}")(*answer if isinstance(answer, tuple) else (answer,))


def refused(lesson, exercise: int, answer) -> str:
    """What a check says to an answer that it must refuse: one line."""
    with pytest.raises(NotYet) as refusal:
        hand_in(lesson, exercise, answer)
    message = str(refusal.value)
    assert "\n" not in message
    return message
