"""The exercises' checks: every way to be right is accepted, every mistake is named, nothing makes a check crash."""

import importlib

import numpy as np
import pytest
import torch

from gan_course import devices
from gan_course.checks import NotYet

LESSONS = range(9)
CHECKS = [importlib.import_module(f"gan_course.checks.lesson_{lesson:02}") for lesson in LESSONS]
TABLES = [importlib.import_module(f"answers_{lesson:02}") for lesson in LESSONS]  # files beside this one


def rows(table: str) -> list:
    """The rows of all tables RIGHT or WRONG as parameters (lesson, exercise, row)."""
    return [
        pytest.param(lesson, exercise, row, id=f"{lesson}.{exercise}-{number}")
        for lesson in LESSONS
        for exercise, found in getattr(TABLES[lesson], table).items()
        for number, row in enumerate(found, 1)
    ]


each_exercise = pytest.mark.parametrize(
    "lesson, exercise", [(lesson, exercise) for lesson in LESSONS for exercise in TABLES[lesson].RIGHT]
)


def hand_in(lesson: int, exercise: int, answer) -> None:
    """Give a check its answer, or its two."""
    getattr(CHECKS[lesson], f"exercise_{exercise}")(*answer if isinstance(answer, tuple) else (answer,))


def refused(lesson: int, exercise: int, answer) -> str:
    """What a check says to an answer that it must refuse: one line."""
    with pytest.raises(NotYet) as refusal:
        hand_in(lesson, exercise, answer)
    assert "\n" not in str(refusal.value)
    return str(refusal.value)


def in_place_of(lesson: int, exercise: int, change):
    """The first right answer changed, or both its parts: change(part) -> part."""
    right = TABLES[lesson].RIGHT[exercise][0]
    return tuple(map(change, right)) if isinstance(right, tuple) else change(right)


def test_every_exercise_has_its_tables():
    for checks, tables in zip(CHECKS, TABLES, strict=True):
        exercises = {int(name.removeprefix("exercise_")) for name in vars(checks) if name.startswith("exercise_")}
        assert exercises == set(tables.RIGHT) == set(tables.WRONG)


@pytest.mark.parametrize("lesson, exercise, answer", rows("RIGHT"))
def test_right(lesson, exercise, answer, capsys):
    hand_in(lesson, exercise, answer)
    assert capsys.readouterr().out.startswith("✓")


@pytest.mark.parametrize("lesson, exercise, wrong", rows("WRONG"))
def test_wrong(lesson, exercise, wrong):
    answer, words = wrong
    assert words in refused(lesson, exercise, answer)


# Whatever a check is handed.


@each_exercise
def test_code_that_is_missing_or_fails_is_told_apart(lesson, exercise):
    def failing(error):
        def fails(*_):
            raise error

        return lambda _: fails

    number = f"{lesson}.{exercise}"
    for begun in (failing(NotImplementedError(f"Exercise {number}: your code goes here")), lambda _: ...):
        message = refused(lesson, exercise, in_place_of(lesson, exercise, begun))
        assert message == f"exercise {number} still waits for your code"
    for error in (NotImplementedError("use ~ for bool"), ZeroDivisionError("oh")):
        message = refused(lesson, exercise, in_place_of(lesson, exercise, failing(error)))
        assert f"{type(error).__name__}: {error}" in message


JUNK = {
    "None": lambda: None,
    "text": lambda: "a text",
    "generator": lambda: (n for n in range(3)),
    "complex": lambda: torch.ones(4, dtype=torch.complex64),
    "empty": lambda: [],
    "ragged": lambda: [[1], [1, 2]],
    "shape": lambda: torch.zeros(2, 3, 4),
    "NaN": lambda: torch.tensor(float("nan")),
    "objects": lambda: np.array([None, {}], dtype=object),
    "seven": lambda: (1.0,) * 7,
    "pair": lambda: (None, None),
    "dictionary": lambda: {"a": 1},
    "meta": lambda: torch.zeros(4, device="meta"),
    "function": lambda: len,
}


@each_exercise
@pytest.mark.parametrize("junk", JUNK)
def test_no_answer_makes_a_check_crash(lesson, exercise, junk):
    refused(lesson, exercise, in_place_of(lesson, exercise, lambda _: lambda *_: JUNK[junk]()))


FLOATS = {
    "float64": lambda x: torch.as_tensor(x).double(),
    "float16": lambda x: torch.as_tensor(x).half(),
    "bfloat16": lambda x: torch.as_tensor(x).bfloat16(),
    "NumPy": np.asarray,
    "list": lambda x: np.asarray(x).tolist(),
}
INTEGERS = {"NumPy": np.int64, "tensor": torch.tensor, "float": float}
OF_FLOATS = [
    *("0.1", "0.2", "0.3", "1.1", "1.2", "1.3", "2.2", "3.2", "3.5"),
    *("4.1", "5.1", "5.2", "5.3", "5.5", "5.6", "6.5"),
    *("7.1", "7.2", "7.3", "7.4", "7.5", "7.7"),
]
OF_INTEGERS = ["0.4", "1.5", "2.1", "3.1", "4.4"]
TYPES = [(place, kind) for place in OF_FLOATS for kind in FLOATS]
TYPES += [(place, kind) for place in OF_INTEGERS for kind in INTEGERS]
TYPES.remove(("3.2", "NumPy"))  # a torch tensor is asked for, in words


@pytest.mark.parametrize("place, kind", TYPES)
def test_a_right_answer_may_come_in_any_type_of_number(place, kind, capsys):
    lesson, exercise = map(int, place.split("."))
    into = (FLOATS if place in OF_FLOATS else INTEGERS)[kind]
    hand_in(lesson, exercise, in_place_of(lesson, exercise, lambda right: lambda *given: into(right(*given))))
    assert capsys.readouterr().out.startswith("✓")


def test_what_draws_gets_a_generator_on_the_lessons_device(monkeypatch):
    def draw(G, n, seed):
        raise RuntimeError(f"the device is {next(G.parameters()).device}")

    monkeypatch.setattr(devices, "default", lambda: torch.device("meta"))  # as a GPU: not the CPU
    assert "the device is meta; put what you make, a torch.Generator too" in refused(0, 2, draw)


def test_a_check_names_the_earlier_exercise_that_its_answer_waits_for():
    def needs_the_first(pictures, images):
        raise NotImplementedError("Exercise 0.1: your code goes here")

    assert refused(0, 5, needs_the_first) == "exercise 0.1 still waits for your code"


def test_the_training_loop_is_told_whether_it_is_the_same_to_the_bit(capsys):
    loops = TABLES[2]
    for answer, words in (
        *((answer, "bit for bit") for answer in loops.TO_THE_BIT),
        (loops.BY_OTHER_OPERATIONS[-1], "mathematics by other operations"),
        (loops.with_switches(detach="nothing"), "bit for bit. One thing: D's backward pass runs through G"),
    ):
        hand_in(2, 4, answer)
        assert words in capsys.readouterr().out


# What the checks share.


def test_a_notebook_shows_the_message_alone():
    assert NotYet("two\n lines")._render_traceback_() == ["✗ two lines"]
