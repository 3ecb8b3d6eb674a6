"""What is generated outside the notebooks: the README's table and links, and CITATION.cff.

The repository's address and the version stand in pyproject.toml and nowhere else. Between
`<!-- NAME -->` and `<!-- end NAME -->` the README's text is written from here.
"""

import json
import re
from dataclasses import dataclass
from pathlib import Path

from gan_course.errors import CourseError
from gan_course.files import assets_dir, write_atomically

try:
    import tomllib
except ModuleNotFoundError:  # Python 3.10
    import tomli as tomllib

COLAB = "https://colab.research.google.com"


@dataclass(frozen=True)
class Course:
    """Where the course lives, and which release of it this is."""

    root: Path
    repository: str
    version: str

    @classmethod
    def read(cls, folder: Path) -> "Course":
        """From the pyproject.toml beside a folder of lessons; the course's own where there is none."""
        root = Path(folder).resolve().parent
        settings = root / "pyproject.toml"
        if not settings.exists():
            settings = Path(__file__).resolve().parents[2] / "pyproject.toml"
        project = tomllib.loads(settings.read_text(encoding="utf-8"))["project"]
        address = project["urls"]["Repository"].rstrip("/").removesuffix(".git")
        if not re.fullmatch(r"https://github\.com/[\w.-]+/[\w.-]+", address):
            raise CourseError(
                f"{settings.name}: Repository is {address!r}; Colab opens addresses like https://github.com/OWNER/NAME"
            )
        return cls(root, address, project["version"])

    def colab(self, slug: str, exercises: bool = False) -> str:
        """The address that opens a notebook of this release in Colab.

        It names the release's tag, as the set-up cell does: a notebook never meets a package of another age.
        """
        name = self.repository.removeprefix("https://github.com/")
        room = "exercises/" if exercises else ""
        return f"{COLAB}/github/{name}/blob/v{self.version}/notebooks/{room}{slug}.ipynb"

    def badge(self, slug: str, exercises: bool = False) -> str:
        """A Colab badge in Markdown."""
        what = f"{'the exercises of ' if exercises else ''}lesson {slug[:2]}"
        image = f"![Open {what} in Colab]({COLAB}/assets/colab-badge.svg)"
        return f"[{image}]({self.colab(slug, exercises)})"

    def fill(self, source: str, slug: str, exercises: bool = False) -> str:
        """A cell's text with its placeholders filled."""
        if "{{" not in source:
            return source
        other = "the lesson with its solutions" if exercises else "the same with the exercises left open"
        badge = f"{self.badge(slug, exercises)} · [{other}]({self.colab(slug, not exercises)})"
        for name, value in (("badge", badge), ("repository", self.repository), ("version", self.version)):
            source = source.replace("{{" + name + "}}", value)
        return source


def rewrite(course: Course, lessons: list, check: bool = False) -> list[str]:
    """Bring README.md and CITATION.cff up to date, or with `check` say which one is not."""
    problems = []
    for name, render in (("README.md", _readme), ("CITATION.cff", _citation)):
        path = course.root / name
        if not path.exists():
            continue
        before = path.read_text(encoding="utf-8")
        after = render(before, course, lessons)
        if after == before:
            continue
        if check:
            problems.append(f"{name}: its generated part is out of date")
        else:
            write_atomically(path, after.encode())
    return problems


def _readme(text: str, course: Course, lessons: list) -> str:
    table = ["| lesson | afterwards you can | open |", "|---|---|---|"]
    for lesson in lessons:
        link = f"[{lesson.number} · {lesson.title}](notebooks/{lesson.slug}.ipynb)"
        exercises = f"[exercises]({course.colab(lesson.slug, exercises=True)})"
        table.append(
            f"| {link} | {lesson.afterwards.rstrip('.')} | {course.badge(lesson.slug)} {exercises} |"
        )
    folder = course.repository.rsplit("/", 1)[1]
    clone = f"```sh\ngit clone {course.repository}\ncd {folder}\nmake course\n```"
    for name, content in (("lessons", "\n".join(table)), ("clone", clone), ("speed", _speed())):
        region = re.compile(rf"(<!-- {name} -->\n).*?(<!-- end {name} -->)", re.DOTALL)
        text = region.sub(lambda m, content=content: f"{m[1]}{content}\n{m[2]}", text)
    return text


def results() -> list[dict]:
    """What `bench` kept in `assets/benchmarks.json`, a device and recipe each; its `compare` says what is in it.

    Raises:
        CourseError: the file is damaged.
    """
    path = assets_dir() / "benchmarks.json"
    try:
        return json.loads(path.read_text(encoding="utf-8")) if path.exists() else []
    except ValueError as error:
        raise CourseError(f"{path} is damaged ({error}): take the committed one") from None


def _speed() -> str:
    """The textbook loop and the package's, a row each device and recipe."""
    rows = ["| recipe | textbook loop | the package | ratio (spread) | of matmul | measured |", "|---" * 6 + "|"]
    for result in results():
        lines = {line["name"]: line for line in result["lines"]}
        key, batch = result["recipe"]["key"], result["recipe"]["batch"]
        where = ", ".join(result["evidence"][k] for k in ("device", "cpu", "date") if k in result["evidence"])
        pairs = {f"batch {batch}": "the package", f"batch 128 against {batch}": "the package, batch 128"}
        pairs |= {f"batch {batch}, {short}": f"the package, {short}" for short in ("bfloat16", "float16")}
        for what, name in pairs.items():
            if name in lines:
                base, mine = lines["textbook loop"], lines[name]
                rows.append(
                    f"| {key}, {what} | {base['rate']:,.0f} images/s | {mine['rate']:,.0f} | {mine['ratio']:.2f} "
                    f"({mine['lowest']:.2f} to {mine['highest']:.2f}) | {mine['share']:.0%} | {where} |"
                )
    return "\n".join(rows)


def _citation(text: str, course: Course, lessons: list) -> str:
    for key, value in (("repository-code", course.repository), ("version", course.version)):
        text = re.sub(rf'^{key}: ".*"$', lambda m, k=key, v=value: f'{k}: "{v}"', text, flags=re.MULTILINE)
    return text
