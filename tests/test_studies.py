"""Studies: what is trained, kept, refused and said; real processes where one is killed."""

import json
import signal
import time
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from gan_course import data, metrics, recipes, studies, study_table
from gan_course.__main__ import main
from gan_course.data import ImageSet
from gan_course.errors import CourseError
from gan_course.study_table import STUDIES, Study

pytestmark = pytest.mark.usefixtures("own_machine")
TINY = Study(
    "tiny",
    "what does a mad rate do?",
    "quick-digits",
    {"plain": {}, "mad": {"lr_g": 1e30, "lr_d": 1e30}},
    images=160,
    common={"width": 1 / 16, "batch": 16},
)


@pytest.fixture(scope="module")
def sets(noise_set) -> tuple[ImageSet, ImageSet]:
    return tuple(noise_set(TINY.recipe_of("plain"), n) for n in (128, 600))


@pytest.fixture(scope="module")
def made(tmp_path_factory, sets):
    """The tiny study, run in two processes, and its file."""
    path = tmp_path_factory.mktemp("study") / "tiny.jsonl"
    return path, studies.run(TINY, path, *sets, seeds=2, workers=2, progress=False)


def result(arm: str, seed: int, **measured) -> studies.Result:
    evidence = {"data": {"name": "mnist", "images": 128, "measured_against": 600}}
    return studies.Result("tiny", arm, seed, TINY.recipe_of(arm).as_dict(), measured, {}, evidence)


# --- running ---------------------------------------------------------------------------------------


def test_every_arm_from_every_seed_with_its_evidence(made, sets):
    path, results = made
    assert {(r.arm, r.seed) for r in results} == {("plain", 0), ("plain", 1), ("mad", 0), ("mad", 1)}
    assert len(path.read_text().splitlines()) == 4
    for one in results:
        assert one.recipe["lr_d"] == {"plain": 5e-4, "mad": 1e30}[one.arm] and one.recipe["width"] == 1 / 16
        assert {"date", "processor", "versions", "data"} <= one.evidence.keys()
    for one in (r for r in results if r.arm == "plain"):
        expected = {"distance", "missing", "precision", "recall", "sharpness", "variety", "right", "loss_d", "d_real"}
        assert expected <= one.measured.keys()
        assert np.isfinite(list(one.measured.values())).all() and one.measured["diverged"] == 0
        assert {len(column) for column in one.curve.values()} == {10}  # steps
        assert one.curve["images"] == [16 * step for step in range(10)]
        assert (telemetry := studies.history(one))["step"].tolist() == list(range(10))
        assert telemetry["d_real"].tolist() == one.curve["d_real"]
        assert one.evidence["images"] == 160 and one.evidence["seconds"] > 0
    assert studies.read(TINY, path) == results


def test_a_run_that_diverges_is_a_result(made):
    assert [r.measured for r in made[1] if r.arm == "mad"] == [{"diverged": 1.0}] * 2
    assert "mad" in studies.summary(TINY, made[1])


def test_a_run_is_what_its_recipe_and_seed_make_of_it(made, sets, tmp_path):
    """Whatever ran beside it: the same numbers, to the bit, from one worker and from two."""
    again = studies.run(TINY, tmp_path / "again.jsonl", *sets, seeds=1, progress=False)
    there = {(r.arm, r.seed): (r.measured, r.curve) for r in made[1]}
    assert all(there[r.arm, r.seed] == (r.measured, r.curve) for r in again) and len(again) == 2


def test_only_what_is_missing_is_trained(made, sets, tmp_path):
    path = tmp_path / "tiny.jsonl"
    first, second, third, fourth = made[0].read_text().splitlines(keepends=True)
    path.write_text(first + second + third + fourth[:50])  # killed while it wrote
    results = studies.run(TINY, path, *sets, seeds=2, progress=False)
    assert path.read_text().startswith(first + second + third)
    key = lambda r: (r.arm, r.seed)  # noqa: E731
    assert sorted(map(key, results)) == sorted(map(key, made[1]))
    untouched = path.read_bytes()
    assert len(studies.run(TINY, path, *sets, seeds=1, progress=False)) == 4 and path.read_bytes() == untouched


def test_seconds_end_a_run_too(sets, tmp_path):
    study = Study("tiny", "?", "quick-digits", {"plain": {}}, seconds=0.2, common=TINY.common)
    (one,) = studies.run(study, tmp_path / "s.jsonl", *sets, seeds=1, progress=False)
    assert one.evidence["seconds"] >= 0.2 and one.evidence["images"] >= 16
    with pytest.raises(CourseError, match="images or seconds, one of them"):
        Study("tiny", "?", "quick-digits", {})


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGKILL])
def test_ended_from_outside_it_keeps_what_ended_and_leaves_no_worker(process, tmp_path, ending):
    script = tmp_path / "driver.py"
    script.write_text(
        "from gan_course import data, studies\n"
        "from gan_course.study_table import Study\n"
        "if __name__ == '__main__':\n"
        "    arms = {'diverges': {'lr_g': 1e30, 'lr_d': 1e30}, 'takes hours': {'batch': 2}}\n"
        "    study = Study('tiny', '?', 'quick-digits', arms, images=10**7, common={'width': 1 / 16})\n"
        "    sets = [data.load('mnist', split=split) for split in ('train', 'test')]\n"
        "    from gan_course.terminal import command\n"
        "    raise SystemExit(command('driver', lambda: studies.run(study, 'out.jsonl', *sets, seeds=9) and 0))\n"
    )
    run = process(script, cwd=tmp_path)
    deadline = time.monotonic() + 240
    while not (tmp_path / "out.jsonl").exists() and run.poll() is None and time.monotonic() < deadline:
        time.sleep(0.1)
    run.send_signal(ending)
    said = run.communicate(timeout=60)[1]  # a worker holds the pipe open as long as it lives
    assert "Traceback" not in said
    if ending == signal.SIGINT:
        assert run.returncode == 130 and "stopped; what was saved before is kept" in said
    lines = (tmp_path / "out.jsonl").read_text().splitlines()
    assert lines and json.loads(lines[0])["arm"] == "diverges"


def test_sharpness_falls_with_blur_and_rises_with_speckle():
    steps = torch.arange(28, dtype=torch.uint8).mul(4).expand(3, 1, 28, 28)  # neighbours differ by 4 one way
    assert studies.sharpness(steps) == 2
    assert studies.sharpness(torch.full_like(steps, 9)) == 0
    dice = torch.Generator().manual_seed(0)
    speckled = steps + torch.randint(0, 40, steps.shape, generator=dice, dtype=torch.uint8)
    assert studies.sharpness(speckled) > 3 * studies.sharpness(steps)


# --- what is refused -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("{", "line 2 of .* is damaged .*: remove that line"),
        ("[]", "line 2 of .* is damaged"),
        ('{"study": "tiny"}', "line 2 of .* is damaged"),
        ({"study": "other"}, "is of 'other', arm 'plain', which 'tiny' lacks: remove it"),
        ({"arm": "slower"}, "arm 'slower', which 'tiny' lacks"),
        ({"recipe": {"lr_g": 0.5}}, "trained with lr_g 0.5, where the study has 0.0005 now: take another file"),
        ({"recipe": {"warp": 9}}, "is damaged .*warp"),
    ],
)
def test_a_line_that_does_not_belong(line, said, made, tmp_path):
    first = next(line for line in made[0].read_text().splitlines() if '"plain"' in line)
    if isinstance(line, dict):
        values = json.loads(first)
        line = json.dumps({**values, **line, "recipe": {**values["recipe"], **line.get("recipe", {})}})
    path = tmp_path / "bad.jsonl"
    path.write_text(f"{first}\n{line}\n")
    with pytest.raises(CourseError, match=said):
        studies.read(TINY, path)


def test_other_data_are_refused(made, sets, tmp_path, noise_set):
    path = tmp_path / "tiny.jsonl"
    path.write_bytes(made[0].read_bytes())
    with pytest.raises(CourseError, match=r"'images': 128.*not.*'images': 80.*use the same, or another file"):
        studies.run(TINY, path, noise_set(TINY.recipe_of("plain"), 80), sets[1], progress=False)


def test_names_and_files(tmp_path, capsys):
    assert studies.read(TINY, tmp_path / "none.jsonl") == []
    with pytest.raises(CourseError, match="cannot be read"):
        studies.read(TINY, tmp_path)
    for arguments, said in (("unheard-of", "unknown study 'unheard-of': there are"), ("precision --seeds 0", "seeds")):
        assert main(["study", *arguments.split()]) == 2
        err = capsys.readouterr().err
        assert said in err and err.count("\n") == 1


# --- what is said ----------------------------------------------------------------------------------


def test_differences_are_taken_seed_by_seed():
    """Seeds that are hard for both arms cancel."""
    hard = {0: 10.0, 1: 50.0, 2: 90.0, 3: 30.0}
    mean, low, high = studies.difference({s: v - 2 for s, v in hard.items()}, hard)
    assert mean == low == high == -2
    mean, low, high = studies.difference({0: 1.0, 1: 2.0, 2: 3.0}, {2: 3.0, 1: 1.0, 0: 2.0, 7: 5.0})
    assert mean == 0 and -low == high == pytest.approx(4.303 / 3**0.5)  # of -1, 1, 0, whose deviation is 1
    with pytest.raises(CourseError, match="1 common seeds"):
        studies.difference({0: 1.0}, {0: 2.0})


@pytest.mark.parametrize("seeds", [3, 5, 12])
def test_the_interval_holds_the_mean_about_as_often_as_it_says(seeds):
    dice = np.random.default_rng(0)
    held = 0
    for _ in range(400):
        one, other = ({s: v for s, v in enumerate(dice.normal(size=seeds) + shift)} for shift in (1.0, 0.0))
        _, low, high = studies.difference(one, other)
        held += low <= 1 <= high
    assert 0.92 < held / 400 < 0.98


class Copier(torch.nn.Module):
    """Shows its training pictures, whatever z is."""

    def __init__(self, images, latent_dim=2):
        super().__init__()
        self.images, self.latent_dim = images, latent_dim
        self.weight = torch.nn.Parameter(torch.zeros(()))

    def forward(self, z):
        return data.to_signed(self.images[(z[:, 0] * 1e5).long() % len(self.images)])


def test_who_copies_its_few_pictures_is_seen(sets, noise_set):
    train = noise_set(TINY.recipe_of("plain"), 300).images
    copier = SimpleNamespace(average=Copier(train[:150]), seed=0)
    assert studies.memorised(copier, train[:150], sets[1]) > 0.95
    assert studies.memorised(copier, train[150:], sets[1]) < 0.2


def test_a_study_of_few_pictures_trains_on_the_first(made, sets, noise_set, tmp_path):
    few, more = sets[0], noise_set(TINY.recipe_of("plain"), 100)
    train = replace(more, images=torch.cat([few.images, more.images]), labels=torch.cat([few.labels, more.labels]))
    study = replace(TINY, arms={"plain": {}}, of=len(few))
    (one,) = studies.run(study, tmp_path / "few.jsonl", train, sets[1], seeds=1, progress=False)
    other = next(r for r in made[1] if (r.arm, r.seed) == ("plain", 0))
    assert one.curve == other.curve and "memorised" in one.measured and "memorised" not in other.measured


def test_the_summary_by_hand():
    results = [result("plain", s, distance=v) for s, v in enumerate((10, 30, 20))]
    results += [result("mad", s, distance=v) for s, v in enumerate((9, 29, 19))]
    results += [result("mad", 3, diverged=1.0)]
    header, plain, mad = studies.summary(TINY, results).splitlines()
    assert header.split()[:5] == ["distance", "by", "arm", "seeds", "median"]
    assert plain.split() == ["plain", "3", "20", "10", "30"]
    assert mad.split() == ["mad", "3", "19", "9", "29", "-1", "-1", "to", "-1"]
    assert "–" in studies.summary(TINY, [], "distance")


@pytest.mark.parametrize("key", sorted(STUDIES))
def test_every_study_can_be_trained_and_its_kept_runs_are_its_own(key):
    study = STUDIES[key]
    assert study.key == key and isinstance(study, study_table.Study)
    for arm in study.arms:
        assert isinstance(study.recipe_of(arm), recipes.Recipe)
        study.recipe_of(arm).build()
    kept = studies.read(study, studies.published(study))
    assert len({(r.arm, r.seed) for r in kept}) == len(kept)


def test_the_numbers_on_real_stacks_are_read_rightly():
    real = data.load("stacked-mnist", split="test")
    found = studies.stacks(real.images)
    seen = metrics.modes(real.labels, 1000)  # of a thousand pictures or more, not every kind occurs
    assert abs(found["modes"] - seen[0]) < 0.1 * seen[0] and found["kl"] == pytest.approx(seen[1], rel=0.1)
