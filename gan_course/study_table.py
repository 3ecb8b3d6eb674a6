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
    )
}
