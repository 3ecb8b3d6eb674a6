"""The repository as a whole: bounds that agree, one address, nothing private, links that lead somewhere."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

try:
    import tomllib
except ModuleNotFoundError:  # Python 3.10
    import tomli as tomllib

ROOT = Path(__file__).resolve().parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
CONDA = {"torch": "pytorch"}  # where conda-forge has another name
# What Colab's image of August 2026 has: the course must not make pip replace any of it.
COLAB = {
    "python": "3.13",
    "torch": "2.11",
    "torchvision": "0.26",
    "numpy": "2.1.3",
    "matplotlib": "3.10",
    "pillow": "11.3",
    "tqdm": "4.67",
    "jupytext": "1.19",
    "ipywidgets": "7.7.1",
}
REQUIREMENT = re.compile(r"([A-Za-z0-9_-]+)>=([0-9.]+)")


def requirements(lines):
    """Name and lower bound of each requirement; anything but a lower bound fails here."""
    parsed = [REQUIREMENT.fullmatch(line) for line in lines]
    assert all(parsed), f"lower bounds only: {[line for line, m in zip(lines, parsed, strict=True) if not m]}"
    return {m[1]: m[2] for m in parsed}


def python_side():
    lines = PROJECT["dependencies"] + PROJECT["optional-dependencies"]["dev"]
    return requirements([*lines, f"python{PROJECT['requires-python']}"])


def version(text):
    return tuple(int(part) for part in text.split("."))


def repository_files():
    """Files that are tracked, or would be: everything git does not ignore."""
    listed = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    try:
        out = subprocess.run(listed, cwd=ROOT, capture_output=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("not a git checkout")
    return sorted({ROOT / name for name in out.decode().split("\0") if name and (ROOT / name).is_file()})


def text_of(path):
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        return ""


def test_environment_agrees_with_pyproject():
    listed = re.findall(r"^  - (\S+)$", (ROOT / "environment.yml").read_text(encoding="utf-8"), re.MULTILINE)
    channels, conda = listed[:2], [line for line in listed[2:] if line not in ("pip", "pip:")]
    assert channels == ["conda-forge", "nodefaults"]
    by_pip = re.findall(
        r"^      - (\w\S+)$", (ROOT / "environment.yml").read_text(encoding="utf-8"), re.MULTILINE
    )
    assert requirements(conda + by_pip) == {
        CONDA.get(name, name): bound for name, bound in python_side().items()
    }


@pytest.mark.parametrize("name", COLAB)
def test_colab_satisfies_every_bound(name):
    assert version(python_side()[name]) <= version(COLAB[name])


def test_version_stands_the_same_everywhere():
    from gan_course import __version__

    assert __version__ == PROJECT["version"]
    assert f'\nversion: "{__version__}"\n' in (ROOT / "CITATION.cff").read_text(encoding="utf-8")


def test_address_stands_in_one_place():
    address = PROJECT["urls"]["Repository"].removeprefix("https://")
    name = address.split("/", 1)[1]
    elsewhere = []
    for path in repository_files():
        relative = path.relative_to(ROOT).as_posix()
        text = text_of(path)
        if (
            relative in ("pyproject.toml", "CITATION.cff")
            or relative.startswith("notebooks/")
            and path.suffix == ".ipynb"
        ):
            continue
        if relative == "README.md":
            text = re.sub(r"<!-- (\w+) -->.*?<!-- end \1 -->", "", text, flags=re.DOTALL)
        if address in text or f"/{name}/" in text:
            elsewhere.append(relative)
    assert not elsewhere


def test_a_new_address_reaches_everything(tmp_path):
    """Change it in pyproject.toml alone, build, and the old one is nowhere."""
    old, new = PROJECT["urls"]["Repository"], "https://github.com/elsewhere/a-fork"
    for name in ("README.md", "CITATION.cff"):
        shutil.copy(ROOT / name, tmp_path / name)
    settings = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    (tmp_path / "pyproject.toml").write_text(settings.replace(old, new), encoding="utf-8")
    (tmp_path / "notebooks").mkdir()
    for source in (ROOT / "notebooks").glob("[0-9]*.py"):
        shutil.copy(source, tmp_path / "notebooks")
    subprocess.run([sys.executable, ROOT / "notebooks" / "tools" / "build.py", tmp_path / "notebooks"], check=True)
    written = {
        path: text_of(path) for path in tmp_path.rglob("*") if path.suffix in (".ipynb", ".md", ".cff")
    }
    name = old.removeprefix("https://github.com/")
    assert not [path.name for path, text in written.items() if name in text]
    assert all("elsewhere/a-fork" in text for text in written.values())


def test_nothing_of_this_machine_or_of_a_registry():
    folders = "|".join(["work", "root", r"home/\w+", r"Users/\w+"])
    path = re.compile(rf"(?<![\w.:/~$-])/(?:{folders})/")
    registry = re.compile(
        "|".join(["py" + r"pi\.org", "files.python" + "hosted", "--(?:extra-)?index" + "-url"])
    )
    found = []
    for file in repository_files():
        text = re.sub(r"[A-Za-z0-9+/=]{200,}", "", text_of(file))  # pictures in base64
        for pattern in (path, registry):
            found += [f"{file.relative_to(ROOT)}: {m[0]}" for m in pattern.finditer(text)]
    assert not found


def test_sizes():
    files = repository_files()
    assert sum(f.stat().st_size for f in files if ROOT / "assets" in f.parents) <= 45e6
    embedded = [f for f in files if ROOT / "assets" in f.parents and re.search("mnist", f.name)]
    assert sum(f.stat().st_size for f in embedded) <= 4e6


def test_top_level_is_the_house():
    rooms = {"notebooks", "gan_course", "assets", "tests", "environment.yml", "README.md"}
    tools = {"pyproject.toml", "Makefile", "LICENSE", "CITATION.cff", ".ci", ".github", ".gitignore"}
    assert {f.relative_to(ROOT).parts[0] for f in repository_files()} <= rooms | tools


def test_published_runs_are_not_ignored():
    ignored = subprocess.run(
        ["git", "check-ignore", "assets/runs/x/checkpoint.safetensors", "gan_course/runs.py"],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert ignored.stdout == ""


def test_links_of_the_readme_lead_somewhere():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    links = re.findall(r"\]\(([^)\s]+)\)", text) + re.findall(r'(?:src|href)="([^"]+)"', text)
    local = [link.split("#")[0] for link in links if not re.match(r"[a-z]+:", link)]
    assert len(local) > 5
    assert not [link for link in local if not (ROOT / link).exists()]


def test_pictures_of_the_readme_have_words():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert "![](" not in text
    assert all(re.search(r'alt="[^"]+"', tag) for tag in re.findall(r"<img [^>]*>", text))


def test_licence_names_all_three_parts():
    text = (ROOT / "LICENSE").read_text(encoding="utf-8")
    for words in ("MIT License", "The gan-course authors", "by/4.0", "by-sa/3.0", "Zalando SE", "CelebA"):
        assert words in text


def test_continuous_integration_runs_make_test():
    script = ROOT / ".ci" / "run"
    assert os.access(script, os.X_OK)
    commands = [line for line in script.read_text().splitlines() if line and not line.startswith("#")]
    assert commands[-1] == "exec make test"
    assert "- run: make test\n" in (ROOT / ".github" / "workflows" / "test.yml").read_text()
