"""Verdicts on telemetry made by hand, on files that others wrote, and on the runs of the course's studies."""

import json
from dataclasses import asdict

import numpy as np
import pytest

from gan_course import diagnosis, logs, studies, study_table
from gan_course.__main__ import main
from gan_course.errors import CourseError
from gan_course.history import COLUMNS, History

LOG = "[{}/5][{}/400]\tLoss_D: 0.6\tLoss_G: 2.1\tD(x): {}\tD(G(z)): {} / 0.1\n"


def telemetry(steps: int = 1_000, **columns) -> History:
    """Every step alike, unless a column is given step by step."""
    values = {name: np.nan for name in COLUMNS} | {"step": np.arange(steps), "loss_d": 1.0, "loss_g": 1.0} | columns
    return History(np.column_stack([np.broadcast_to(values[name], steps) for name in COLUMNS]).astype(float))


def verdict(history: History, variety: float | None = None) -> str:
    return diagnosis.diagnose(history, variety).verdict


@pytest.mark.parametrize(
    "right, variety, expected",
    [
        (0.75, 0.84, "healthy"),
        (0.75, None, "healthy"),
        (0.75, 0.3, "collapse"),
        (0.97, 0.84, "D too fast"),
        (0.97, None, "D too fast"),
        (0.97, 0.3, "collapse"),  # the log alone cannot know
        (0.30, 0.1, "G too fast"),
        (0.30, None, "G too fast"),
        (0.87, 0.84, "I cannot tell"),
        (0.55, 0.84, "I cannot tell"),
    ],
)
def test_who_leads_and_whether_variety_is_lost(right, variety, expected):
    history = telemetry(right_real=right + 0.02, right_fake=right - 0.02)
    found = diagnosis.diagnose(history, variety)
    assert found.verdict == expected and f"{right:.2f}" in str(found)
    assert ("not known" in str(found)) == (variety is None)


def test_the_last_fifth_decides():
    early_lead = np.where(np.arange(1_000) < 800, 1.0, 0.7)
    assert verdict(telemetry(right_real=early_lead, right_fake=early_lead)) == "healthy"


def test_without_shares_the_two_scores_decide_where_they_are_probabilities():
    assert verdict(telemetry(d_real=0.76, d_fake=0.25)) == "healthy"
    assert verdict(telemetry(d_real=0.97, d_fake=0.04)) == "D too fast"
    assert verdict(telemetry(d_real=0.45, d_fake=0.5)) == "G too fast"
    critic = diagnosis.diagnose(telemetry(d_real=42.0, d_fake=39.0))
    assert critic.verdict == "I cannot tell" and "losses alone" in str(critic)
    assert verdict(telemetry(loss_d=0.0)) == "I cannot tell"  # a small loss is no verdict


def test_young_empty_and_diverged_runs():
    assert verdict(telemetry(steps=200, right_real=1.0, right_fake=1.0)) == "I cannot tell"
    assert verdict(History()) == "I cannot tell"
    broken = np.where(np.arange(1_000) < 990, 1.0, np.nan)
    assert verdict(telemetry(loss_d=broken, loss_g=broken, right_real=0.7, right_fake=0.7)) == "diverged"
    assert verdict(telemetry(loss_g=np.inf, right_real=0.7, right_fake=0.7)) == "diverged"
    resting = np.where(np.arange(1_000) % 2, np.nan, 1.0)  # G moves at every second step: nothing is wrong
    assert verdict(telemetry(loss_g=resting, right_real=0.7, right_fake=0.7)) == "healthy"


def test_advice_is_what_helped_in_the_study_and_nothing_else(tmp_path, monkeypatch):
    study = study_table.STUDIES["d-too-fast"]
    distances = {"untreated": 100, "R1": 40, "hinge": 90, "spectral norm": 101, "labels 0.9 and 0.1": 130}
    lines = []
    for arm, distance in distances.items():
        for seed in range(5):
            spread = (seed - 2) * (20 if arm == "hinge" else 1)  # hinge: better on average, worse for some seeds
            recipe = study.recipe_of(arm).as_dict()
            evidence = {"data": {}}
            result = studies.Result(study.key, arm, seed, recipe, {"distance": distance + spread}, {}, evidence)
            lines.append(json.dumps(asdict(result)) + "\n")
    (tmp_path / "kept.jsonl").write_text("".join(lines))
    monkeypatch.setattr(studies, "published", lambda study: tmp_path / "kept.jsonl")
    (only,) = diagnosis.helped("D too fast")
    assert only.startswith("R1 (study d-too-fast: distance -60")
    assert diagnosis.helped("healthy") == []


# --- what others wrote -------------------------------------------------------------------------------


def test_a_log_as_the_tutorial_prints_it(tmp_path, capsys):
    path = tmp_path / "train.log"
    path.write_text("Starting\n" + "".join(LOG.format(e, i, 0.97, 0.04) for e in range(5) for i in range(0, 400, 50)))
    history = logs.read(path)
    assert len(history) == 40 and history["step"][[0, 8]].tolist() == [0, 400] and history["d_real"][0] == 0.97
    assert np.isnan(history["right_real"]).all()
    assert main(["diagnose", str(path)]) == 0
    assert capsys.readouterr().out.startswith("D too fast\n")


def test_a_table_of_ones_own_by_other_names(tmp_path):
    path = tmp_path / "mine.csv"
    path.write_text("iteration,D(x),D(G(z)),errD,note\n" + "".join(f"{i},0.7,0.3,,ok\n" for i in range(0, 1_000, 10)))
    history = logs.read(path)
    assert len(history) == 100 and history["step"][1] == 10 and np.isnan(history["loss_d"]).all()
    assert verdict(history) == "healthy"
    path.write_text("D_loss,G_loss\n0.7,1.0\n0.6,nan\n")
    history = logs.read(path)
    assert history["step"].tolist() == [0, 1] and verdict(history) == "diverged"


@pytest.mark.parametrize(
    "content, message",
    [
        (b"", "neither a log"),
        (b"time,memory\n1,2\n", "neither a log"),
        (b"loss_d,loss_g\n1,many\n", "'many'"),
        (b"step,loss_d\n,1\n", "no step"),
        (b"\xff\xfe\x00\x01", "cannot be read"),
    ],
)
def test_a_file_without_telemetry_is_refused_in_a_line(tmp_path, capsys, content, message):
    path = tmp_path / "some.csv"
    path.write_bytes(content)
    with pytest.raises(CourseError, match=message):
        logs.read(path)
    assert main(["diagnose", str(path)]) == 2
    assert len(capsys.readouterr().err.splitlines()) == 1


def test_no_such_run(capsys):
    assert main(["diagnose", "no-such-run"]) == 2 and "no run" in capsys.readouterr().err


# --- the course's runs -------------------------------------------------------------------------------


def test_a_published_run_is_looked_at_as_well(capsys):
    assert main(["diagnose", "quick-digits"]) == 0
    said = capsys.readouterr().out
    assert said.splitlines()[0] in diagnosis.VERDICTS and "variety of the pictures is 0." in said
