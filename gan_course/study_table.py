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
        seconds: of one core's work that each run gets; 0 where `images` decide.
        common: changes of the recipe in every arm.
        bugs: arm -> the museum's exhibit that is planted in it.
    """

    key: str
    about: str
    recipe: str
    arms: dict[str, dict]
    images: int = 0
    seconds: float = 0.0
    common: dict = field(default_factory=dict)
    bugs: dict[str, str] = field(default_factory=dict)

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


def _museum(setting: str, about: str, **more: dict) -> Study:
    """Every exhibit of a setting beside its mend."""
    bugs = {key: key for key, exhibit in museum.EXHIBITS.items() if exhibit.setting == setting}
    recipe, changes = museum.SETTINGS[setting]
    arms = {"mended": {}, **dict.fromkeys(bugs, {}), **more}
    return Study(f"museum-{setting}", about, recipe, arms, images=20_000, common=changes, bugs=bugs)


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
        _museum("plain", "what do bugs of the step, of layers and of first weights cost?"),
        _museum("fresh-noise", "what does it cost if D and G are shown different noise?"),
        _museum("hinge", "what does a hinge in G's loss cost?"),
        _museum("relativistic", "what does it cost if D compares and G does not?"),
        _museum("r1", "what does R1 of the loss cost, and what no R1?", without={"penalty": "none"}),
        _museum("wasserstein", "what do bugs of the gradient penalty and of the sign cost?"),
    )
}
