"""A verdict in words on a run: who leads, whether variety is lost, the numbers it rests on, what to try.

Telemetry says who leads. Whether variety is lost only pictures say, so a log alone is never called collapsed. The
limits were set on the untreated and the healthy runs of the studies `d-too-fast`, `g-too-fast` and `collapse` (digits)
and judged on those of `unseen` (clothes, other causes): lesson 06 shows how often they are right.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from gan_course import files, logs, metrics, runs, sampling, studies
from gan_course.history import History

YOUNG = 300  # steps: before them D may lead in a healthy run, because noise is easy to tell from pictures
LAST = 5  # the verdict is on the last fifth of the run
LOST = 0.77  # variety; sets of real pictures have 0.83 and more
WATCHED = 64  # pictures that variety is taken from
# Who leads: up to the first limit G, from the second to the third neither, from the fourth on D; between, who knows.
LIMITS = {
    "right": (0.5, 0.6, 0.85, 0.9),
    "lead": (0.0, 0.1, 0.6, 0.7),
}
MEANING = {"right": "the share of pictures on which D is right", "lead": "D(x) - D(G(z))"}
STUDY = {"D too fast": "d-too-fast", "G too fast": "g-too-fast", "collapse": "collapse"}  # whose remedies are told
VERDICTS = ("healthy", *STUDY, "diverged", "I cannot tell")


@dataclass(frozen=True)
class Diagnosis:
    """A verdict.

    Attributes:
        verdict: one of `VERDICTS`.
        because: sentences with the numbers that it rests on.
        advice: what to try, sentences.
    """

    verdict: str
    because: tuple[str, ...]
    advice: tuple[str, ...] = ()

    def __str__(self) -> str:
        lines = [f"  because {why}" for why in self.because] + [f"  try: {what}" for what in self.advice]
        return "\n".join([self.verdict, *lines])


def diagnose(history: History, variety: float | None = None) -> Diagnosis:
    """The verdict on a run's telemetry and, where it is known, the variety of its pictures.

    Args:
        variety: `metrics.variety` of generated pictures.
    """
    if not len(history):
        return Diagnosis("I cannot tell", ("there is not one step",))
    losses = np.column_stack([history["loss_d"], history["loss_g"]])
    if np.isinf(losses).any() or (np.isnan(losses[-1]).all() and np.isfinite(losses).any()):
        advice = "lower both learning rates; look at grad_d and grad_g in the steps before"
        return Diagnosis("diverged", (f"a loss is no finite number by step {history['step'][-1]:.0f}",), (advice,))
    steps = int(history["step"][-1]) + 1
    if steps < YOUNG:
        why = f"{steps} steps are few: in the first {YOUNG} D may lead in a healthy run, too"
        return Diagnosis("I cannot tell", (why,), ("go on, and ask again",))

    name, value = _balance(history)
    if name is None:
        why = "neither D's verdicts nor D(x) and D(G(z)) as probabilities are in the log, and losses alone do not say"
        advice = "log D(x) and D(G(z)), or the share of pictures on which D is right"
        return Diagnosis("I cannot tell", (why,), (advice,))
    g_leads, even_from, even_to, d_leads = LIMITS[name]
    because = [f"in the last fifth {MEANING[name]} is {value:.2f} (healthy: {even_from} to {even_to})"]
    lost = variety is not None and variety < LOST
    if variety is None:
        because.append("the variety of the pictures is not known: look at them")
    else:
        because.append(f"the variety of the pictures is {variety:.2f} (healthy: {LOST} and more)")
    if value <= g_leads:
        verdict = "G too fast"
    elif lost:
        verdict = "collapse"
    elif value >= d_leads:
        verdict = "D too fast"
    else:
        verdict = "healthy" if even_from <= value <= even_to else "I cannot tell"
    return Diagnosis(verdict, tuple(because), tuple(helped(verdict)))


def _balance(history: History) -> tuple[str, float] | tuple[None, None]:
    """Which number says who leads, and its mean over the last fifth of the steps."""
    last = History(history.rows[history["step"] >= history["step"][-1] * (1 - 1 / LAST)])
    columns = {name: last.measured(name)[1] for name in ("right_real", "right_fake", "d_real", "d_fake")}
    mean = {name: values.mean() for name, values in columns.items() if len(values)}
    if {"right_real", "right_fake"} <= mean.keys():
        return "right", (mean["right_real"] + mean["right_fake"]) / 2
    scores = [columns[name] for name in ("d_real", "d_fake")]
    if all(len(values) and values.min() >= 0 and values.max() <= 1 for values in scores):
        return "lead", mean["d_real"] - mean["d_fake"]
    return None, None


def helped(verdict: str, most: int = 3) -> list[str]:
    """The remedies that helped most in the course's study of an illness, in sentences; none where nothing was studied.

    Helped: over the seeds, the 95 % interval of the difference to the untreated runs lies below 0.
    """
    if verdict not in STUDY:
        return []
    study = studies.get(STUDY[verdict])
    distance = studies.by_arm(studies.read(study, studies.published(study)), "distance")
    untreated = distance.get("untreated", {})
    found = []
    for arm in set(study.arms) - {"untreated", "healthy"}:
        if len(distance.get(arm, {}).keys() & untreated.keys()) > 1:
            mean, low, high = studies.difference(distance[arm], untreated)
            if high < 0:
                found.append((mean, f"{arm} (study {study.key}: distance {mean:+.0f}, 95 % {low:+.0f} to {high:+.0f})"))
    return [sentence for _, sentence in sorted(found)[:most]]


def of(name: str | Path) -> Diagnosis:
    """The verdict on a run's folder, a published run, or a file that `logs.read` understands.

    Raises:
        CourseError: there is no such run or file, or it holds no telemetry.
    """
    if files.user_path(name).is_file():
        return diagnose(logs.read(name))
    run = runs.find(name)
    return diagnose(run.history, metrics.variety(sampling.sample(run.generator(), WATCHED, seed=0)))
