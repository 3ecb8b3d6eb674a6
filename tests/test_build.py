"""The compiler of the lessons: what becomes of solutions, placeholders, ids and recorded outputs."""

import json

import nbformat
import pytest

import build
import solutions

SETTINGS = """
[project]
name = "gan-course"
version = "3.2.1"
[project.urls]
Repository = "https://github.com/someone/their-fork"
"""
HEAD = """# %% [markdown]
# # 01 · A small lesson
#
# > After it you can add
# > two numbers.
#
# {{badge}}
"""
LESSON = (
    HEAD
    + '''
# %% tags=["setup"]
address = "git+{{repository}}@v{{version}}"

# %% [markdown]
# ### Exercise 1.1 · Adding

# %%
def add(a, b):
    """Their sum."""
    # solution
    total = a + b
    return total
    # end solution


# %%
# NBVAL_CHECK_OUTPUT
print(add(1, 1))

# %%
print("same")

# %%
print("same")
'''
)


@pytest.fixture
def folder(tmp_path):
    """The lessons' folder of a small course, built."""
    (tmp_path / "pyproject.toml").write_text(SETTINGS)
    (tmp_path / "notebooks").mkdir()
    write(tmp_path / "notebooks", LESSON)
    assert build.main([str(tmp_path / "notebooks")]) == 0
    return tmp_path / "notebooks"


def write(folder, text):
    (folder / "01_small.py").write_text(text)


def built(folder, room="."):
    return nbformat.read(folder / room / "01_small.ipynb", as_version=4)


def run_all(folder):
    """Give every code cell of the built lesson an output, as a recorded run does."""
    notebook = built(folder)
    for count, cell in enumerate((c for c in notebook.cells if c.cell_type == "code"), 1):
        cell.execution_count = count
        cell.outputs = [nbformat.v4.new_output("stream", text=f"output {count}\n")]
    notebook.metadata["gan_course"] = {"profile": "cpu"}
    nbformat.write(notebook, folder / "01_small.ipynb")


def test_lesson_keeps_the_solution_and_exercise_gets_a_stub(folder):
    assert "total = a + b" in built(folder).cells[3].source
    assert built(folder, "exercises").cells[3].source == (
        'def add(a, b):\n    """Their sum."""\n    # Your code here.\n'
        '    raise NotImplementedError("Exercise 1.1: your code goes here")'
    )


def test_an_exercises_card_ends_with_its_solution_folded(folder):
    more = "# %% [markdown]\n# ### Exercise 1.2 · Twice\n\n# %%\n# solution\na = 1\n# end solution\nb = 2\n\n"
    more += "# %%\nfor i in range(3):\n    # solution\n    a += i\n    # end solution\n"
    write(folder, f"{LESSON}\n{more}")
    build.main([str(folder)])
    first, second = (
        [cell.source for cell in built(folder, room).cells if "### Exercise" in cell.source]
        for room in (".", "exercises")
    )
    assert "details" not in "".join(first), "the lesson shows its solutions anyway"
    pasted = ['def add(a, b):\n    """Their sum."""\n    total = a + b\n    return total']
    pasted += ["a = 1\nb = 2\n\n\nfor i in range(3):\n    a += i"]
    for card, with_solution, code in zip(first, second, pasted, strict=True):
        assert with_solution == (
            f"{card}\n\n<details><summary>Go on without it: a solution to paste</summary>\n\n"
            f"```python\n{code}\n```\n\n</details>"
        )


@pytest.mark.parametrize(
    ("cell", "stub"),
    [
        (  # nested, with code after it that uses the name
            "def f(x):\n    for i in x:\n        if i:\n            # solution\n            y = i\n"
            "            # end solution\n    return y",
            "def f(x):\n    for i in x:\n        if i:\n            # Your code here.\n"
            '            raise NotImplementedError("Exercise: your code goes here")\n    return y',
        ),
        (
            "# solution\nanswer, _rest = 1, 2\nwidth: int = 3\ntable[0] = 4\n# end solution\nprint(answer)",
            "# Your code here.\nanswer = ...\n_rest = ...\nwidth = ...\nprint(answer)",
        ),
        (
            "# solution\nfor i in range(3):\n    x = i\n# end solution",
            '# Your code here.\nraise NotImplementedError("Exercise: your code goes here")',
        ),
    ],
    ids=["nested", "names", "loop"],
)
def test_stubs(cell, stub):
    assert solutions.stub(cell) == stub
    compile(solutions.stub(cell), "cell", "exec")


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("# %%\nx = 1\n# solution\ny = 2\n", 3, "without an `# end solution`"),
        ("# %%\n# solution\ny = 2\n# %%\n# end solution\n", 2, "in the same cell"),
        ("# %%\n# solution\ny = 2\n# solution\n# end solution\n", 4, "opens inside the one of line"),
        ("# %%\ny = 2\n# end solution\n", 3, "without a `# solution`"),
    ],
    ids=["open", "across-cells", "nested", "no-beginning"],
)
def test_regions_that_do_not_close_name_their_line(folder, capsys, text, line, words):
    write(folder, HEAD + "\n" + text)
    assert build.main([str(folder)]) == 2
    said = capsys.readouterr().err
    assert f"01_small.py, line {line + len(HEAD.splitlines()) + 1}:" in said and words in said


@pytest.mark.parametrize(
    "head",
    ["# %%\nx = 1\n", "# %% [markdown]\n# # A title\n", HEAD.replace("After it", "Then"), HEAD.replace("01", "02")],
    ids=["code", "no-number", "no-afterwards", "another-number"],
)
def test_a_header_of_another_shape_is_refused(folder, capsys, head):
    write(folder, head)
    assert build.main([str(folder)]) == 2
    assert "01_small.py: " in capsys.readouterr().err


def test_placeholders_and_tags(folder):
    lesson, exercise = (built(folder, room).cells for room in (".", "exercises"))
    assert lesson[1].source == 'address = "git+https://github.com/someone/their-fork@v3.2.1"'
    assert lesson[1].metadata == {"tags": ["setup"]} and built(folder).metadata["accelerator"] == "GPU"
    place = "https://colab.research.google.com/github/someone/their-fork/blob/v3.2.1/notebooks"
    assert "[![Open lesson 01 in Colab](" in lesson[0].source and f"({place}/01_small.ipynb)" in lesson[0].source
    assert f"({place}/exercises/01_small.ipynb)" in exercise[0].source


def test_the_same_sources_give_the_same_bytes(folder):
    before = {file: file.read_bytes() for file in folder.rglob("*.ipynb")}
    for file in before:
        file.unlink()
    build.main([str(folder)])
    assert len(before) == 2 and {file: file.read_bytes() for file in before} == before


def test_ids_are_unique_and_survive_an_inserted_cell_and_a_new_release(folder):
    before = [cell.id for cell in built(folder).cells]
    assert len(set(before)) == len(before)
    write(folder, LESSON.replace("# %% [markdown]\n# ### Ex", "# %%\nnew = 1\n\n# %% [markdown]\n# ### Ex"))
    (folder.parent / "pyproject.toml").write_text(SETTINGS.replace("3.2.1", "4.0.0"))
    build.main([str(folder)])
    after = [cell.id for cell in built(folder).cells]
    assert after[:2] + after[3:] == before and after[2] not in before


def test_recorded_outputs_stay_where_the_text_stayed(folder, capsys):
    run_all(folder)
    write(folder, LESSON.replace("add(1, 1)", "add(2, 2)"))
    assert build.main([str(folder)]) == 0
    assert "01_small.ipynb: no recorded run for cells 5 " in capsys.readouterr().out
    notebook = built(folder)
    assert [c.execution_count for c in notebook.cells if c.cell_type == "code"] == [1, 2, None, 4, 5]
    assert [cell.outputs[0].text for cell in notebook.cells[-2:]] == ["output 4\n", "output 5\n"]
    assert notebook.cells[4].outputs == []
    assert notebook.metadata["gan_course"] == {"profile": "cpu"}
    for cell in built(folder, "exercises").cells:
        assert not cell.get("outputs") and "NBVAL" not in cell.source


# --check.


@pytest.mark.parametrize(
    "part, value",
    [("source", "x"), ("id", "another"), ("metadata", {"tags": ["more"]}), ("cell_type", "raw"), ("", "")],
)
@pytest.mark.parametrize("name", ["01_small.ipynb", "exercises/01_small.ipynb"])
def test_check_names_the_first_difference_and_changes_nothing(folder, capsys, name, part, value):
    run_all(folder)
    assert build.main(["--check", str(folder)]) == 0, "outputs are no difference"
    notebook = json.loads((folder / name).read_text())
    if part:
        notebook["cells"][3][part] = value
    else:
        notebook["cells"].pop()
    (folder / name).write_text(json.dumps(notebook))
    assert build.main(["--check", str(folder)]) == 1
    words = f"cell 4 (code) has another {part.replace('_', ' ')}" if part else "cell 7 is missing"
    assert capsys.readouterr().err.startswith(f"{name}: {words}")
    assert json.loads((folder / name).read_text()) == notebook


def test_check_misses_no_file_and_no_orphan(folder, capsys):
    (folder / "exercises" / "01_small.ipynb").rename(folder / "exercises" / "07_gone.ipynb")
    assert build.main(["--check", str(folder)]) == 1
    said = capsys.readouterr().err
    assert "exercises/01_small.ipynb: is missing" in said and "07_gone.ipynb: has no source" in said


def test_readme_and_citation_follow(folder):
    readme, citation = folder.parent / "README.md", folder.parent / "CITATION.cff"
    readme.write_text("before\n<!-- lessons -->\nold\n<!-- end lessons -->\nafter\n")
    citation.write_text('version: "0"\nrepository-code: "x"\n')
    build.main([str(folder)])
    assert citation.read_text() == 'version: "3.2.1"\nrepository-code: "https://github.com/someone/their-fork"\n'
    text = readme.read_text()
    assert text.startswith("before\n<!-- lessons -->\n| lesson |") and text.endswith("<!-- end lessons -->\nafter\n")
    assert "| [01 · A small lesson](notebooks/01_small.ipynb) | add two numbers |" in text
    assert build.main(["--check", str(folder)]) == 0
    readme.write_text(text.replace("add two", "add three"))
    assert build.main(["--check", str(folder)]) == 1


def test_what_cannot_be_built_is_said(folder, tmp_path_factory, capsys):
    assert build.main([str(tmp_path_factory.mktemp("empty"))]) == 2
    assert "NN_slug.py" in capsys.readouterr().err
    (folder.parent / "pyproject.toml").write_text(SETTINGS.replace("github.com", "example.org"))
    assert build.main([str(folder)]) == 2
    assert "https://github.com/OWNER/NAME" in capsys.readouterr().err
