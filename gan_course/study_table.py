"""The table of studies: what each compares, on what budget. `studies.run` trains them."""

from dataclasses import dataclass, field

from gan_course import recipes
from gan_course.errors import CourseError
from gan_course.recipes import Recipe


@dataclass(frozen=True)
class Study:
    """One comparison: arms that differ from a recipe in what they say, and in nothing else.

    Attributes:
        key: its name in the table.
        about: the question, in a line.
        recipe: key of the recipe.
        arms: name -> changes of the recipe; the first is what the others are compared with.
        images: real images that each run sees; 0 where `seconds` decide.
        seconds: of one core's work that each run gets; 0 where `images` decide.
        common: changes of the recipe in every arm.
    """

    key: str
    about: str
    recipe: str
    arms: dict[str, dict]
    images: int = 0
    seconds: float = 0.0
    common: dict = field(default_factory=dict)

    def __post_init__(self):
        if (self.images > 0) == (self.seconds > 0):
            raise CourseError(f"study {self.key!r}: its budget is images or seconds, one of them")

    def recipe_of(self, arm: str) -> Recipe:
        """What an arm trains."""
        return recipes.get(self.recipe).but(**{**self.common, **self.arms[arm]})


# Lesson 06: three ways to make `quick-digits` ill, and every remedy that the lesson's sources name. A remedy that
# puts a penalty on D's slope takes BatchNorm out of D.
ILLNESSES = {
    "d-too-fast": {"lr_d": 2e-3, "lr_g": 1e-4},
    "g-too-fast": {"lr_g": 2e-3, "lr_d": 1e-4},
    "collapse": {"lr_g": 1e-3, "lr_d": 1e-3, "betas": (0.9, 0.999)},
}
SLOWER = {  # the other network's rate stays
    "d-too-fast": {"a quarter of D's rate": {"lr_d": 5e-4}, "D learns every 4th step": {"d_every": 4}},
    "g-too-fast": {"a quarter of G's rate": {"lr_g": 5e-4}, "G learns every 4th step": {"g_every": 4}},
    "collapse": {"half of both rates": {"lr_g": 5e-4, "lr_d": 5e-4}, "Adam's first beta 0.5": {"betas": (0.5, 0.999)}},
}
REMEDIES = {
    "D twice as wide": {"d_width": 2.0},
    "G frozen for a fifth of the run": {"g_rests": (100, 200)},
    "feature matching": {"objective": "feature-matching"},
    "labels 0.9 and 0.1": {"real_label": 0.9, "fake_label": 0.1},
    "dropout in D": {"network": "dcgan-fashion"},
    "noise on the images": {"image_noise": 0.2},
    "minibatch deviation": {"minibatch_std": True},
    "hinge": {"objective": "hinge"},
    "spectral norm": {"d_norm": "spectral"},
    "Wasserstein, gradient penalty": {
        "objective": "wasserstein",
        "penalty": "gradient",
        "penalty_weight": 10.0,
        "d_norm": "layer",
    },
    "R1": {"penalty": "r1", "d_norm": "none"},
    "relativistic pair, R1 and R2": {"objective": "relativistic", "penalty": "r1+r2", "d_norm": "none"},
}


def ward(illness: str) -> Study:
    """One illness, untreated first, then with each remedy, and the healthy recipe last."""
    sick = ILLNESSES[illness]
    treated = {name: {**sick, **remedy} for name, remedy in {**SLOWER[illness], **REMEDIES}.items()}
    arms = {"untreated": sick, **treated, "healthy": {}}
    return Study(illness, f"what helps against {illness.replace('-', ' ')}?", "quick-digits", arms, images=16_000)


STUDIES = {
    study.key: study
    for study in (
        Study(
            "precision",
            "does bfloat16 cost quality?",
            "quick-clothes",
            {"float32": {"precision": "float32"}, "bfloat16": {"precision": "bfloat16"}},
            images=100_000,
        ),
        Study(
            "quick-faces",
            "which width makes the better faces in four minutes of one core?",
            "quick-faces",
            {f"width {width}": {"width": width} for width in (0.25, 0.375, 0.5)},
            seconds=240,
            common={"precision": "auto"},
        ),
        *map(ward, ILLNESSES),
    )
}
