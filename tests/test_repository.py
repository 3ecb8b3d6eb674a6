"""The repository as a whole: bounds that agree, one address, nothing private, links that lead somewhere."""

import os
import re
import subprocess
from pathlib import Path

import pytest

from gan_course import __version__

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
    listed = re.findall(r"^ +- (\S+)$", (ROOT / "environment.yml").read_text(encoding="utf-8"), re.MULTILINE)
    channels, packages = listed[:2], [line for line in listed[2:] if line not in ("pip", "pip:")]
    assert channels == ["conda-forge", "nodefaults"]
    assert requirements(packages) == {CONDA.get(name, name): bound for name, bound in python_side().items()}


def test_colab_satisfies_every_bound():
    def version(text):
        return tuple(map(int, text.split(".")))

    assert not [name for name, has in COLAB.items() if version(python_side()[name]) > version(has)]


def test_version_stands_the_same_everywhere():
    assert __version__ == PROJECT["version"]
    assert f'\nversion: "{__version__}"\n' in (ROOT / "CITATION.cff").read_text(encoding="utf-8")


def test_address_stands_in_one_place():
    """Elsewhere it is written by the builder: in the notebooks, CITATION.cff and marked places of the README."""
    address = PROJECT["urls"]["Repository"].removeprefix("https://")
    elsewhere = []
    for path in repository_files():
        relative = path.relative_to(ROOT).as_posix()
        if relative in ("pyproject.toml", "CITATION.cff") or path.suffix == ".ipynb":
            continue
        text = re.sub(r"<!-- (\w+) -->.*?<!-- end \1 -->", "", text_of(path), flags=re.DOTALL)
        if address in text or f"/{address.split('/', 1)[1]}/" in text:
            elsewhere.append(relative)
    assert not elsewhere


def test_nothing_of_this_machine_or_of_a_registry():
    folders = "|".join(["work", "root", r"home/\w+", r"Users/\w+"])
    path = re.compile(rf"(?<![\w.:/~$-])/(?:{folders})/")
    registry = re.compile(r"py[p]i\.org|files\.python[h]osted|--(?:extra-)?index[-]url")  # not to find itself
    found = []
    for file in repository_files():
        text = re.sub(r"[A-Za-z0-9+/=]{200,}", "", text_of(file))  # pictures in base64
        for pattern in (path, registry):
            found += [f"{file.relative_to(ROOT)}: {m[0]}" for m in pattern.finditer(text)]
    assert not found


def test_assets_stay_small():
    assert sum(file.stat().st_size for file in repository_files() if ROOT / "assets" in file.parents) <= 45e6


def test_the_readmes_links_lead_somewhere_and_its_pictures_have_words():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    links = re.findall(r"\]\(([^)\s]+)\)", text) + re.findall(r'(?:src|href)="([^"]+)"', text)
    local = [link.split("#")[0] for link in links if not re.match(r"[a-z]+:", link)]
    assert local and not [link for link in local if not (ROOT / link).exists()]
    assert "![](" not in text
    assert all(re.search(r'alt="[^"]+"', tag) for tag in re.findall(r"<img [^>]*>", text))


def test_continuous_integration_runs_make_test():
    script = ROOT / ".ci" / "run"
    assert os.access(script, os.X_OK) and script.read_text().rstrip().endswith("make test")
    assert "- run: make test\n" in (ROOT / ".github" / "workflows" / "test.yml").read_text()
