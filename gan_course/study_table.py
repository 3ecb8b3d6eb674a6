"""The table of studies: what each compares, on what budget. `studies.run` trains them."""

from dataclasses import dataclass, field

from gan_course import museum, recipes
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
        of: how many different ones these are, the first of the training set; 0: all.
        seconds: of one core's work that each run gets; 0 where `images` decide.
        common: changes of the recipe in every arm.
        bugs: arm -> the museum's exhibit that is planted in it.
        measure: what the command prints of its runs, unless it is told otherwise.
    """

    key: str
    about: str
    recipe: str
    arms: dict[str, dict]
    images: int = 0
    seconds: float = 0.0
    of: int = 0
    common: dict = field(default_factory=dict)
    bugs: dict[str, str] = field(default_factory=dict)
    measure: str = "distance"

    def __post_init__(self):
        if (self.images > 0) == (self.seconds > 0):
            raise CourseError(f"study {self.key!r}: its budget is images or seconds, one of them")
        for arm, exhibit in self.bugs.items():
            museum.get(exhibit)
            if arm not in self.arms:
                raise CourseError(f"study {self.key!r} has no arm {arm!r} for the bug {exhibit!r}")

    def recipe_of(self, arm: str) -> Recipe:
        """What an arm trains."""
        return recipes.get(self.recipe).but(**{**self.common, **self.arms[arm]})


# Lesson 06: three ways to make `quick-digits` ill, and every remedy that the lesson's sources name. A remedy that
# puts a penalty on D's slope takes BatchNorm out of D.
ILLNESSES = {
    "d-too-fast": {"lr_d": 2e-3, "lr_g": 1e-4},
    "g-too-fast": {"lr_g": 2e-3, "lr_d": 1e-4},
    "collapse": {"lr_g": 3e-3, "lr_d": 3e-3, "betas": (0.9, 0.999)},
}
SLOWER = {  # the other network's rate stays
    "d-too-fast": {"a quarter of D's rate": {"lr_d": 5e-4}, "D learns every 4th step": {"d_every": 4}},
    "g-too-fast": {"a quarter of G's rate": {"lr_g": 5e-4}, "G learns every 4th step": {"g_every": 4}},
    "collapse": {
        "a sixth of both rates": {"lr_g": 5e-4, "lr_d": 5e-4},
        "Adam's first beta 0.5": {"betas": (0.5, 0.999)},
    },
}
REMEDIES = {
    "D twice as wide": {"d_width": 2.0},
    "G frozen for a fifth of the run": {"g_rests": (150, 300)},
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


def _remedies(illness: str) -> Study:
    """One illness, untreated first, then with each remedy, and the healthy recipe last; at half of the quick width."""
    sick = ILLNESSES[illness]
    treated = {name: {**sick, **remedy} for name, remedy in {**SLOWER[illness], **REMEDIES}.items()}
    arms = {"untreated": sick, **treated, "healthy": {}}
    about = f"what helps against {illness.replace('-', ' ')}?"
    return Study(illness, about, "quick-digits", arms, images=24_000, common={"width": 0.125})


# What `diagnosis` is judged on: other clothes, other causes than its limits were set on. Before the colon, the truth.
UNSEEN = {
    "healthy: as it is": {},
    "healthy: batches of 64, twice the rates": {"batch": 64, "lr_g": 1e-3, "lr_d": 1e-3},
    "healthy: labels 0.9 and 0.1": {"real_label": 0.9, "fake_label": 0.1},
    "healthy: hinge": {"objective": "hinge"},
    "D too fast: rates 2e-3 and 5e-5": {"lr_d": 2e-3, "lr_g": 5e-5},
    "D too fast: rates 1e-3 and 1e-4": {"lr_d": 1e-3, "lr_g": 1e-4},
    "D too fast: G learns every 10th step": {"lr_d": 2e-3, "g_every": 10},
    "G too fast: rates 2e-3 and 5e-5": {"lr_g": 2e-3, "lr_d": 5e-5},
    "G too fast: D learns every 10th step": {"d_every": 10},
    "G too fast: least squares, rates 2e-3 and 1e-4": {"objective": "least-squares", "lr_g": 2e-3, "lr_d": 1e-4},
    "collapse: beta 0.9, rates 4e-3": {"lr_g": 4e-3, "lr_d": 4e-3, "betas": (0.9, 0.999)},
    "collapse: hinge, beta 0.9, rates 3e-3": {"objective": "hinge", "lr_g": 3e-3, "lr_d": 3e-3, "betas": (0.9, 0.999)},
    "collapse: beta 0.95, rates 2e-3": {"lr_g": 2e-3, "lr_d": 2e-3, "betas": (0.95, 0.999)},
}


# Lesson 07: table 2 of the FashionMNIST report, MLP against DCGAN, at a scale that a core trains in a minute. The
# report's losses and labels; batch and rates of the course's quick recipes, with which both learn faster.
DCGAN = {"network": "dcgan-fashion", "init": "dcgan", "width": 0.25}
IN_A_MINUTE = {"batch": 32, "lr_g": 5e-4, "lr_d": 5e-4}


# Lesson 08: from DCGAN to the modern recipe (Huang et al. 2024, arXiv:2501.05441), each step on top of those before.
# DCGAN's D loses BatchNorm with the penalty, G with the residual networks. The penalty's weight was chosen once: with
# 1 the distance was 45 after 40 s (one seed, the residual networks 49), where DCGAN had 12.
RELATIVISTIC = {"objective": "relativistic"}
LIGHT = {"penalty_weight": 0.05, "penalty_every": 4, "d_norm": "none"}
SLOPES = {**RELATIVISTIC, "penalty": "r1+r2", **LIGHT}
RESIDUAL = {**SLOPES, "network": "modern", "init": "he"}
LADDER = {
    "DCGAN": {},
    "+ relativistic pair": RELATIVISTIC,
    "+ R1 and R2": SLOPES,
    "+ residual networks": RESIDUAL,
    "+ betas 0 and 0.99": {**RESIDUAL, "betas": (0.0, 0.99)},
}
# Their table of Stacked MNIST: two losses, two penalties.
TWO_BY_TWO = {
    f"{objective}, {penalty}": {"objective": objective, "penalty": penalty}
    for objective in ("non-saturating", "relativistic")
    for penalty in ("r1", "r1+r2")
}


def _few(key: str, of: int) -> Study:
    """Augmentation (Zhao et al. 2020) where there are that many different digits."""
    return Study(
        key,
        f"does augmentation help where there are {of} pictures?",
        "quick-digits",
        {"as they are": {}, "augmented": {"augment": "translation,cutout"}, "moved only": {"augment": "translation"}},
        images=60_000,
        of=of,
        common={"width": 0.125},
    )


def _museum(setting: str, about: str, images: int = 24_000, **more: dict) -> Study:
    """Every exhibit of a setting beside its mend."""
    bugs = {key: key for key, exhibit in museum.EXHIBITS.items() if exhibit.setting == setting}
    recipe, changes = museum.SETTINGS[setting]
    arms = {"mended": {}, **dict.fromkeys(bugs, {}), **more}
    common = {**changes, "width": museum.WIDTH}
    return Study(f"museum-{setting}", about, recipe, arms, images=images, common=common, bugs=bugs)


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
            "what makes the better faces in two and a half minutes of one core?",
            "quick-faces",
            {
                "as DCGAN has it": {"lr_d": 4e-4, "minibatch_std": False},
                "half D's rate": {"lr_d": 2e-4, "minibatch_std": False},
                "half D's rate, minibatch deviation": {"lr_d": 2e-4, "minibatch_std": True},
            },
            seconds=150,
            common={"precision": "bfloat16"},
        ),
        *map(_remedies, ILLNESSES),
        Study(
            "table-2-images",
            "MLP or DCGAN, after as many images?",
            "mlp-fashion",
            {"mlp": {}, "dcgan, width 1/4": DCGAN},
            images=30_000,
            common=IN_A_MINUTE,
        ),
        Study(
            "table-2-seconds",
            "MLP or DCGAN, after as many seconds of one core?",
            "mlp-fashion",
            {"mlp": {}, "dcgan, width 1/4": DCGAN, "dcgan, width 1/2": {**DCGAN, "width": 0.5}},
            seconds=40,
            common=IN_A_MINUTE,
        ),
        Study(
            "ladder",
            "from DCGAN to the modern recipe, after as many seconds of one core?",
            "quick-clothes",
            LADDER,
            seconds=40,
        ),
        Study(
            "stacked-digits",
            "how many of 1,000 modes survive, by loss and penalty?",
            "quick-digits",
            TWO_BY_TWO,
            images=32_000,
            common={"data": "stacked-mnist", "channels": 3, **LIGHT},
            measure="modes",
        ),
        Study("unseen", "does the diagnosis hold?", "quick-clothes", UNSEEN, images=16_000, common={"width": 0.125}),
        Study(
            "conditional",
            "which way of telling D the class makes G heed it?",
            "conditional-digits",
            {
                "unconditional": {"classes": 0},
                "projection": {},
                "planes": {"told": "planes"},
                "D is not told": {"told": "not"},
            },
            images=24_000,
            common={"width": 0.125},
        ),
        _few("few-digits", 500),
        _few("fewer-digits", 100),
        _museum("plain", "what do bugs of the step, of layers and of first weights cost?"),
        _museum("fresh-noise", "what does it cost if D and G are shown different noise?"),
        _museum("hinge", "what does a hinge in G's loss cost?"),
        _museum("relativistic", "what does it cost if D compares and G does not?"),
        _museum("r1", "what does R1 of the loss cost, and what no R1?", images=48_000, without={"penalty": "none"}),
        _museum("wasserstein", "what do bugs of the gradient penalty and of the sign cost?"),
    )
}
