"""What holds for the check of every exercise, whatever it is handed."""

import importlib

import numpy as np
import pytest
import test_checks_00
import test_checks_01
import test_checks_02
import test_checks_03
import test_checks_04
import test_checks_05
import torch
from answers import hand_in, refused

from gan_course.checks import InFloat64, NotYet, compare

TABLES = (test_checks_00, test_checks_01, test_checks_02, test_checks_03, test_checks_04, test_checks_05)
EXERCISES = [
    pytest.param(tests.lesson, exercise, answers[0], id=f"{number}.{exercise}")
    for number, tests in enumerate(TABLES)
    for exercise, answers in tests.RIGHT.items()
]


def cast(answer, into):
    """An answer, or two, whose results come as something else."""
    if isinstance(answer, tuple):
        return tuple(cast(one, into) for one in answer)
    return lambda *arguments: into(answer(*arguments))


def stub(number):
    def exercise(*_):
        raise NotImplementedError(f"Exercise {number}: your code goes here")

    return exercise


@pytest.mark.parametrize("lesson, exercise, answer", EXERCISES)
def test_an_exercise_that_nobody_has_begun_waits(lesson, exercise, answer):
    number = f"{lesson.__name__[-1]}.{exercise}"
    for begun in (stub(number), ...):
        message = refused(lesson, exercise, tuple(begun for _ in answer) if isinstance(answer, tuple) else begun)
        assert message == f"exercise {number} still waits for your code"


@pytest.mark.parametrize("lesson, exercise, answer", EXERCISES)
@pytest.mark.parametrize(
    "error", [NotImplementedError("use ~ for bool"), ZeroDivisionError("oh")], ids=["raised", "zero"]
)
def test_any_other_error_is_named_with_its_message(lesson, exercise, answer, error):
    def fails(*_):
        raise error

    message = refused(lesson, exercise, tuple(fails for _ in answer) if isinstance(answer, tuple) else fails)
    assert f"{type(error).__name__}: {error}" in message


JUNK = {
    "None": lambda: None,
    "text": lambda: "a text",
    "generator": lambda: (n for n in range(3)),
    "complex": lambda: torch.ones(4, dtype=torch.complex64),
    "complex number": lambda: 1j,
    "empty": lambda: [],
    "ragged": lambda: [[1], [1, 2]],
    "shape": lambda: torch.zeros(2, 3, 4),
    "no number": lambda: torch.tensor(float("nan")),
    "texts": lambda: np.array(["a", "b"]),
    "objects": lambda: np.array([None, {}], dtype=object),
    "seven": lambda: (1.0,) * 7,
    "pair": lambda: (None, None),
    "dictionary": lambda: {"a": 1},
    "meta": lambda: torch.zeros(4, device="meta"),
    "function": lambda: len,
}


@pytest.mark.parametrize("lesson, exercise, answer", EXERCISES)
@pytest.mark.parametrize("junk", JUNK.values(), ids=JUNK)
def test_no_answer_makes_a_check_crash(lesson, exercise, answer, junk):
    wrong = tuple(lambda *_: junk() for _ in answer) if isinstance(answer, tuple) else lambda *_: junk()
    refused(lesson, exercise, wrong)


NUMBERS = {
    "float64": lambda x: torch.as_tensor(x).double(),
    "float16": lambda x: torch.as_tensor(x).half(),
    "bfloat16": lambda x: torch.as_tensor(x).bfloat16(),
    "NumPy": lambda x: np.asarray(x),
    "list": lambda x: np.asarray(x).tolist(),
}
OF_NUMBERS = {
    (0, 1),
    (0, 2),
    (0, 3),
    (1, 1),
    (1, 2),
    (1, 3),
    (2, 2),
    (3, 2),
    (3, 5),
    (4, 1),
    (5, 1),
    (5, 2),
    (5, 3),
    (5, 5),
}
WHOLE = {(0, 4), (1, 5), (2, 1), (3, 1), (4, 4)}
INTEGERS = {"NumPy": np.int64, "tensor": torch.tensor, "float": float}


@pytest.mark.parametrize("lesson, exercise, answer", EXERCISES)
def test_a_right_answer_may_come_in_any_type_of_number(lesson, exercise, answer, capsys):
    place = int(lesson.__name__[-1]), exercise
    kinds = NUMBERS if place in OF_NUMBERS else INTEGERS if place in WHOLE else {}
    for kind, into in kinds.items():
        if place == (3, 2) and kind == "NumPy":  # a torch tensor is asked for, in words
            continue
        hand_in(lesson, exercise, cast(answer, into))
        assert capsys.readouterr().out.startswith("✓"), kind


def test_a_comparison_knows_which_wrong_answer_is_nearest():
    right, wrong = torch.tensor([1.0, 2.0]), (torch.tensor([1.0, 2.01]), "that is the other one")
    for given in (right, right.half(), right.numpy(), [1.0, np.float32(2)], (1, 2), right.requires_grad_()):
        assert compare("9.9", given, right.detach(), wrong, otherwise="no").dtype == torch.float64
    for given, words in (([1.0, 2.01], "other one"), ([1.0, 2.1], "no"), ([1.0], "shape"), ([1.0, float("nan")], "no")):
        with pytest.raises(NotYet, match=words):
            compare("9.9", given, right.detach(), wrong, otherwise="no")


def test_what_differs_in_float64_is_no_rounding():
    with InFloat64():
        made = (
            torch.ones(3),
            torch.ones(3, dtype=torch.float32),
            torch.ones(3).float(),
            torch.ones(3).to(torch.float32),
        )
        assert all(tensor.dtype == torch.float64 for tensor in made)
    assert torch.ones(3).dtype == torch.float32


def test_a_notebook_shows_the_message_alone():
    assert NotYet("two\n lines")._render_traceback_() == ["✗ two lines"]


def test_every_lesson_has_its_tables():
    for number, tests in enumerate(TABLES):
        lesson = importlib.import_module(f"gan_course.checks.lesson_{number:02}")
        exercises = {int(name.removeprefix("exercise_")) for name in vars(lesson) if name.startswith("exercise_")}
        assert exercises == set(tests.RIGHT) == set(tests.WRONG)
        assert all(len(rows) >= 8 for rows in tests.WRONG.values())
