"""Score published runs and write what comes out into their cards and into the table of assets/runs/README.md:

    python notebooks/tools/scores.py [RUN ...] [--n 10000]    all published runs without any; about two minutes each

With GAN_COURSE_DATA the whole of MNIST and FashionMNIST is read. A run that is published anew loses its score, so
this comes after `python -m gan_course publish`.
"""

import argparse
import sys

from gan_course import files, runs, scoring, terminal
from gan_course.keeping import write_card

BEGIN, END = "<!-- scores -->", "<!-- end scores -->"
SHOWN = ("frechet_distance", "precision", "recall", "coverage", "memorisation")


def entry(score: scoring.Score) -> dict:
    """What a card keeps of a score: value, ends of the interval, floor of each number, to four digits."""
    numbers = {
        name: [None if x is None else float(f"{x:.4g}") for x in (m.value, m.low, m.high, m.floor)]
        for name, m in score.numbers.items()
    }
    return {
        "against": score.against,
        "judge": score.version,
        "n": score.n,
        "numbers": numbers,
        "missing": score.missing,
        "words": score.words,
    }


def table() -> str:
    """The scores of all published runs that have one, as Markdown."""
    rows = [
        "| run | pictures | Fréchet distance [95 %], floor | precision | recall | coverage | memorisation | words |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for name in runs.published():
        if found := runs.find(name).card.get("score"):
            value, low, high, floor = found["numbers"]["frechet_distance"]
            rest = " | ".join(f"{found['numbers'][what][0]:.2f}" for what in SHOWN[1:])
            distance = f"{value:.2f} [{low:.2f}, {high:.2f}], {floor:.2f}"
            rows.append(f"| `{name}` | {found['n']:,} | {distance} | {rest} | {found['words']} |")
    return "\n".join(rows)


def work(names: list[str], n: int) -> None:
    for name in names or runs.published():
        run, score = runs.find(name), scoring.score(name, n=n)
        write_card(run.folder, {**run.card, "score": entry(score)})
        print(score, flush=True)
    path = files.assets_dir() / "runs" / "README.md"
    text = path.read_text(encoding="utf-8")
    before, after = text.split(BEGIN)[0], text.split(END)[1]
    files.write_atomically(path, f"{before}{BEGIN}\n{table()}\n{END}{after}".encode())


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runs", nargs="*", metavar="RUN")
    parser.add_argument("--n", type=int, default=10_000, help="pictures (default: 10000)")
    given = parser.parse_args()
    sys.exit(terminal.command("scores", lambda: work(given.runs, given.n)))
