"""How big a run is: the same lesson on a continuous-integration box, a laptop, Colab or a workstation.

The profile is chosen by the environment variable `GAN_COURSE_PROFILE`; without it, a machine with a
CUDA GPU runs at `colab` and any other at `cpu`. Lessons hold no `if`: they state their sizes as
`here.pick(ci=..., cpu=..., colab=..., full=...)`.
"""

import os
from dataclasses import dataclass
from typing import TypeVar

import torch

from gan_course.errors import CourseError

T = TypeVar("T")


@dataclass(frozen=True)
class Profile:
    """One size of run.

    Attributes:
        name: `ci`, `cpu`, `colab` or `full`.
        width: factor on the channels of every network (1.0 is the printed size).
        about: one line for people.
    """

    name: str
    width: float
    about: str

    def pick(self, *, ci: T, cpu: T, colab: T, full: T) -> T:
        """The value stated for this profile."""
        return {"ci": ci, "cpu": cpu, "colab": colab, "full": full}[self.name]


PROFILES = {
    p.name: p
    for p in (
        Profile("ci", 0.25, "every line runs, at small width: seconds a lesson, pictures not worth showing"),
        Profile("cpu", 1.0, "a laptop without a GPU: minutes a lesson, long runs are replayed"),
        Profile("colab", 1.0, "one T4-class GPU: minutes a lesson, everything trained live"),
        Profile("full", 1.0, "the sources' own settings, whole data sets: hours on a CPU"),
    )
}


def get(name: str) -> Profile:
    """The profile of that name.

    Raises:
        CourseError: there is no such profile.
    """
    if name not in PROFILES:
        raise CourseError(f"unknown profile {name!r}: GAN_COURSE_PROFILE is one of {', '.join(PROFILES)}")
    return PROFILES[name]


def current() -> Profile:
    """The profile this process runs at."""
    return get(os.environ.get("GAN_COURSE_PROFILE") or ("colab" if torch.cuda.is_available() else "cpu"))
