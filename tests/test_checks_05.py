"""The checks of lesson 05: two ways to be right, and what each mistake is told."""

import pytest
import torch
from answers import stub, told

from gan_course import latent
from gan_course.checks import lesson_05


@pytest.mark.parametrize("exercise", [1, 2, 3, 4, 5])
def test_a_stub_is_told_that_it_waits(exercise):
    assert "still waits" in told(getattr(lesson_05, f"exercise_{exercise}"), stub)


def right(exercise, answer, capsys):
    getattr(lesson_05, f"exercise_{exercise}")(answer)
    assert capsys.readouterr().out.startswith("✓")


# --- 5.1 -------------------------------------------------------------------------------------------


def by_rows(z, dimension, values):
    return torch.stack([torch.cat([z[:dimension], v[None], z[dimension + 1 :]]) for v in values])


@pytest.mark.parametrize("answer", [latent.traverse, by_rows])
def test_traverse_right(answer, capsys):
    right(1, answer, capsys)


def in_place(z, dimension, values):
    z[dimension] = values[-1]
    return latent.traverse(z, dimension, values)


def moved_by(z, dimension, values):
    path = z.repeat(len(values), 1)
    path[:, dimension] += values
    return path


@pytest.mark.parametrize(
    "wrong, words",
    [
        (in_place, "work on a copy"),
        (moved_by, "should *take* them"),
        (lambda z, d, v: latent.traverse(z, d - 1, v), "counted from 0"),
        (lambda z, d, v: latent.traverse(z, d, -v), "not [-2.0"),
        (lambda z, d, v: latent.traverse(z + 1, d, v), "another dimension"),
        (lambda z, d, v: latent.traverse(z, d, v).T, "(100, 5)"),
        (lambda z, d, v: None, "NoneType"),
    ],
)
def test_traverse_wrong(wrong, words):
    assert words in told(lesson_05.exercise_1, wrong)


# --- 5.2 -------------------------------------------------------------------------------------------


def textbook(a, b, t):
    """Shoemake's formula on the vectors themselves."""
    angle = torch.arccos((a @ b / (a.norm() * b.norm())).clamp(-1, 1))
    if angle < 1e-3:
        return torch.lerp(a, b, t[:, None])
    t = t[:, None]
    return (torch.sin((1 - t) * angle) * a + torch.sin(t * angle) * b) / torch.sin(angle)


@pytest.mark.parametrize("answer", [latent.slerp, textbook])
def test_slerp_right(answer, capsys):
    right(2, answer, capsys)


def scaled_line(a, b, t):
    line = latent.lerp(a, b, t)
    return line / line.norm(dim=1, keepdim=True) * torch.lerp(a.norm(), b.norm(), t)[:, None]


def undefined_at_rest(a, b, t):
    angle, t = torch.arccos(a @ b / (a.norm() * b.norm())), t[:, None]
    return (torch.sin((1 - t) * angle) * a + torch.sin(t * angle) * b) / torch.sin(angle)


@pytest.mark.parametrize(
    "wrong, words",
    [
        (latent.lerp, "the *angle* grows evenly"),
        (lambda a, b, t: latent.slerp(a / a.norm(), b / b.norm(), t), "have norm 1"),
        (lambda a, b, t: latent.slerp(b, a, t), "begins at b"),
        (lambda a, b, t: latent.slerp(a, 2 * b, t), "does not begin at a and end at b"),
        (scaled_line, "hurries in its middle"),
        (lambda a, b, t: latent.slerp(a, b, t**2), "the angle to a should be"),
        (undefined_at_rest, "is NaN"),
    ],
)
def test_slerp_wrong(wrong, words):
    assert words in told(lesson_05.exercise_2, wrong)


# --- 5.3 -------------------------------------------------------------------------------------------


def by_regression(z, has):
    weight = torch.where(has, 1 / has.sum(), -1 / (~has).sum())
    return (weight[:, None] * z).sum(0)


@pytest.mark.parametrize("answer", [latent.attribute_direction, by_regression])
def test_direction_right(answer, capsys):
    right(3, answer, capsys)


@pytest.mark.parametrize(
    "wrong, words",
    [
        (lambda z, has: z[~has].mean(0) - z[has].mean(0), "points away"),
        (lambda z, has: z[has].mean(0), "subtract the mean of those without"),
        (lambda z, has: z[has].mean(0) - z.mean(0), "mean of all"),
        (lambda z, has: z[has].sum(0) - z[~has].sum(0), "those are sums"),
        (lambda z, has: z[0], "not the difference"),
        (lambda z, has: z[has] - 1, "(100,) is wanted"),
    ],
)
def test_direction_wrong(wrong, words):
    assert words in told(lesson_05.exercise_3, wrong)


# --- 5.4 -------------------------------------------------------------------------------------------


def by_eigh(A):
    values, vectors = torch.linalg.eigh(A.T @ A)
    return values.flip(0), vectors.flip(1).T


def by_svd(A):
    _, s, rows = torch.linalg.svd(A, full_matrices=False)
    return s**2, rows


@pytest.mark.parametrize("answer", [by_eigh, by_svd])
def test_stretched_right(answer, capsys):
    right(4, answer, capsys)


@pytest.mark.parametrize(
    "wrong, words",
    [
        (lambda A: tuple(torch.linalg.eigh(A.T @ A)), "counts upwards"),
        (lambda A: (by_svd(A)[0].sqrt(), by_svd(A)[1]), "singular values"),
        (lambda A: (by_eigh(A)[0], by_eigh(A)[1].T), "*columns*"),
        (lambda A: (by_eigh(A)[0], by_eigh(A)[1].flip(0)), "belong together"),
        (lambda A: (by_eigh(A)[0], torch.eye(20)), "not their eigenvectors"),
        (lambda A: (by_eigh(A)[0] / 2, by_eigh(A)[1]), "the largest eigenvalue"),
        (lambda A: by_eigh(A)[0], "two things"),
        (lambda A: by_eigh(A @ A.T), "(20,) is wanted"),
    ],
)
def test_stretched_wrong(wrong, words):
    assert words in told(lesson_05.exercise_4, wrong)


# --- 5.5 -------------------------------------------------------------------------------------------


def by_adam(G, picture, steps=200):
    z = torch.zeros(1, G.latent_dim, requires_grad=True)
    adam = torch.optim.Adam([z], lr=0.1)
    for _ in range(steps):
        adam.zero_grad()
        (G(z) - picture).square().mean().backward()
        adam.step()
    return z.detach()[0]


def by_lbfgs(G, picture):
    z = torch.zeros(1, G.latent_dim, requires_grad=True)
    optimiser = torch.optim.LBFGS([z], max_iter=50)

    def closure():
        optimiser.zero_grad()
        loss = (G(z) - picture).square().sum()
        loss.backward()
        return loss

    optimiser.step(closure)
    return z.detach()[0]


@pytest.mark.parametrize("answer", [by_adam, by_lbfgs])
def test_invert_right(answer, capsys):
    right(5, answer, capsys)


def trains_the_generator(G, picture):
    G.requires_grad_(True)
    torch.optim.SGD(G.parameters(), 0.1).step(
        lambda: (G(torch.ones(1, 10)) - picture).square().sum().backward()
    )
    return torch.ones(10)


def with_graph(G, picture):
    return by_adam(G, picture).requires_grad_() * 1


@pytest.mark.parametrize(
    "wrong, words",
    [
        (trains_the_generator, "give the optimiser z alone"),
        (lambda G, picture: torch.zeros(10), "are there enough steps"),
        (lambda G, picture: by_adam(G, picture, 15), "more steps"),
        (with_graph, "detached"),
        (lambda G, picture: torch.zeros(5), "(10,) is wanted"),
    ],
)
def test_invert_wrong(wrong, words):
    assert words in told(lesson_05.exercise_5, wrong)
