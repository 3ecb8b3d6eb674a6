"""Solutions, and the stubs that stand in their place in the exercise notebooks.

A region of a code cell between the lines `# solution` and `# end solution` becomes, at its indentation,

* inside a function: `raise NotImplementedError(...)`. The cell still runs, and the exercise's check
  says what is missing when it calls the function;
* elsewhere: `name = ...` for each name that the region assigns, so that "Run all" reaches the check.
  A region that assigns no name (a loop, a definition) raises `NotImplementedError` there.

The lines around a region stay: the function's name, its arguments and its docstring state the task. Whoever is
stuck finds the solution folded at the end of the exercise's card, in the exercise notebook alone.
"""

import ast
import re

from gan_course.errors import CourseError


def check_regions(name: str, text: str) -> None:
    """Raise a CourseError with the line number if a region of a lesson's source is not closed in its cell."""
    opened = None
    for number, line in enumerate(text.splitlines(), 1):
        mark = line.strip()
        if mark == "# solution":
            if opened:
                raise CourseError(f"{name}, line {number}: a solution opens inside the one of line {opened}")
            opened = number
        elif mark == "# end solution":
            if not opened:
                raise CourseError(f"{name}, line {number}: `# end solution` without a `# solution` before it")
            opened = None
        elif opened and line.startswith("# %%"):
            break
    if opened:
        raise CourseError(f"{name}, line {opened}: `# solution` without an `# end solution` in the same cell")


def stub(source: str, exercise: str = "") -> str:
    """A code cell with each solution region replaced, as this file's first lines describe.

    Args:
        source: the cell.
        exercise: the number on its card, such as "1.2"; it goes into the message.
    """
    if "# solution" not in source:
        return source
    try:
        tree = ast.parse(source)
    except SyntaxError as error:
        raise CourseError(
            f"exercise {exercise}: a cell with a solution must be plain Python ({error})"
        ) from error
    functions = [n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef)]
    kept, region, start = [], None, 0
    for number, line in enumerate(source.splitlines(), 1):
        if line.strip() == "# solution":
            region, start, indent = [], number, line[: len(line) - len(line.lstrip())]
        elif line.strip() == "# end solution":
            inside = any(f.lineno < start <= f.end_lineno for f in functions)
            names = [] if inside else _assigned(tree, start, number)
            kept.append(f"{indent}# Your code here.")
            kept += [f"{indent}{name} = ..." for name in names]
            if not names:
                message = f"Exercise {exercise}: your code goes here".replace("Exercise :", "Exercise:")
                kept.append(f'{indent}raise NotImplementedError("{message}")')
            region = None
        elif region is None:
            kept.append(line)
    return "\n".join(kept)


def folded(sources: list[str]) -> str:
    """What an exercise notebook adds to a card: the cells of its solution, whole, to paste in place of the stubs."""
    cells = [re.sub(r"^ *# (?:end )?solution\n?", "", source, flags=re.MULTILINE).rstrip() for source in sources]
    code = "\n\n\n".join(cells)
    return (
        f"\n\n<details><summary>Go on without it: a solution to paste</summary>\n\n```python\n{code}\n```\n\n</details>"
    )


def _assigned(tree: ast.Module, start: int, end: int) -> list[str]:
    """Names that the outermost statements between two lines assign, in order."""
    within = [
        n for n in ast.walk(tree) if isinstance(n, ast.stmt) and start < n.lineno and n.end_lineno < end
    ]
    outermost = min((n.col_offset for n in within), default=0)
    names = []
    for statement in sorted(within, key=lambda n: n.lineno):
        if statement.col_offset == outermost and isinstance(statement, ast.Assign | ast.AnnAssign):
            targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
            found = [n for t in targets for n in ast.walk(t) if isinstance(n, ast.Name)]
            names += [n.id for n in found if isinstance(n.ctx, ast.Store)]
    return list(dict.fromkeys(names))
