"""The ward: its cases are whole and are what they say; the widget that shows them, without a browser."""

import base64
import io
import json
import shutil
from html.parser import HTMLParser

import numpy as np
import pytest
from PIL import Image

from gan_course import ward, widgets
from gan_course.errors import CourseError
from gan_course.widgets import ward as room


@pytest.fixture(scope="module")
def cases():
    return {case.key: case for case in ward.load()}


@pytest.fixture
def panel():
    return widgets.Ward(seed=3)


@pytest.fixture
def undrawn(monkeypatch):
    """A panel that draws one chart for all, where it is the words that count: a chart takes half a second."""
    chart = room.Chart({"any": ward.load()[0].run})
    monkeypatch.setattr(room, "Chart", lambda runs: chart)
    return widgets.Ward(seed=3)


@pytest.fixture
def copied(tmp_path, monkeypatch):
    """The ward's files, copied to where they can be damaged."""
    copy = shutil.copytree(ward.folder(), tmp_path / "ward")
    monkeypatch.setattr(ward, "folder", lambda: copy)
    return copy


# The cases.


def test_there_are_enough_of_every_kind_and_they_are_small(cases):
    truths = [case.diagnosis for case in cases.values()]
    assert len(cases) >= 24 and set(truths) == set(ward.DIAGNOSES)
    assert min(truths.count(diagnosis) for diagnosis in ward.DIAGNOSES) >= 3
    assert sum(path.stat().st_size for path in ward.folder().iterdir()) <= 4e6
    assert {case.told.split(",")[0] for case in cases.values()} == {"digits", "clothes"}


def test_every_case_is_whole(cases):
    for key, case in cases.items():
        assert case.told and case.changed and case.reason.endswith("."), key
        assert bool(case.cured) == bool(case.cure) == (case.diagnosis != "healthy"), key
        for run in filter(None, (case.run, case.cured)):
            assert run.grids.shape == (12, ward.SIDE, ward.SIDE) and run.spread.shape == (12,), key
            assert len(run.images) >= 24 and (np.diff(run.images) > 0).all(), key
            assert run.seen(11) == run.images[-1] and run.seen(0) == pytest.approx(run.images[-1] / 12, abs=1)
            for column, curve in run.curves.items():
                assert len(curve) == len(run.images) and np.isfinite(curve).mean() > 0.9, (key, column)
            assert ((run.curves["right"] >= 0) & (run.curves["right"] <= 1)).all(), key


def test_no_file_lies_there_for_nothing(cases):
    content = json.loads((ward.folder() / "cases.json").read_text(encoding="utf-8"))
    used = {name for case in content["cases"] for name in (case["run"], case["cured"]) if name}
    assert used == set(content["runs"]) == {path.stem for path in ward.folder().glob("*.webp")}


def test_the_numbers_agree_with_the_labels(cases):
    """What a case is called shows in its log, and what is called cured is healthy."""
    for key, case in cases.items():
        end, diagnosis = case.run.measured, case.diagnosis
        if diagnosis == "D too fast":
            assert end["right"] > 0.9, key
        elif diagnosis == "G too fast":
            d_real, d_fake = (case.run.curves[column][-12:].mean() for column in ("d_real", "d_fake"))
            assert end["right"] < 0.5 and d_fake > d_real, key
        elif diagnosis == "collapse":
            assert 0.4 < end["right"] < 0.9 and end["spread"] < 0.6 * case.cured.measured["spread"], key
        elif diagnosis == "healthy":
            assert 0.5 < end["right"] < 0.9, key
        if case.cured:
            assert case.cured.measured["distance"] < end["distance"], key
            assert 0.5 < case.cured.measured["right"] < 0.9 and case.cured.measured["spread"] > 0.6, key


def test_the_order_is_the_seeds():
    first, again, other = ([case.key for case in ward.load(seed)] for seed in (1, 1, 2))
    assert first == again != other and sorted(first) == sorted(other)
    with pytest.raises(CourseError, match="seed -1"):
        ward.load(-1)


@pytest.mark.parametrize("damage", ["gone", "cut", "a picture is missing", "a curve is short", "a word nobody knows"])
def test_a_damaged_ward_is_one_clear_error(copied, damage):
    path = copied / "cases.json"
    content = json.loads(path.read_text(encoding="utf-8"))
    if damage == "gone":
        shutil.rmtree(copied)
    elif damage == "cut":
        path.write_text(path.read_text(encoding="utf-8")[:1_000], encoding="utf-8")
    elif damage == "a picture is missing":
        next(copied.glob("*.webp")).unlink()
    else:
        if damage == "a curve is short":
            next(iter(content["runs"].values()))["curves"]["right"].pop()
        else:
            content["cases"][0]["diagnosis"] = "a cold"
        path.write_text(json.dumps(content), encoding="utf-8")
    with pytest.raises(CourseError, match="the ward in .* is missing or damaged .*: take another copy of it"):
        ward.load()
    panel = widgets.ward_round()
    assert isinstance(panel, widgets.Message) and "missing or damaged" in panel.picture.alt


# The widget.


def pixels(panel):
    return np.asarray(Image.open(io.BytesIO(panel._image.value)).convert("L"), dtype=int)


def decide(panel, right: bool) -> str:
    """Commit to the truth, or to something else; what was said."""
    wrong = next(d for d in ward.DIAGNOSES if d != panel.case.diagnosis)
    panel.diagnosis.value = panel.case.diagnosis if right else wrong
    panel.commit.click()
    return panel.diagnosis.value


def to_a_sick_case(panel):
    while panel.case.diagnosis == "healthy":
        panel.next.click()


def test_before_the_commitment_nothing_is_given_away(undrawn):
    for _ in undrawn.cases:
        alt = undrawn.picture.alt
        assert "D's loss is" in alt and "times as much as real ones" in alt and undrawn.case.told in alt
        assert undrawn.case.reason not in alt and undrawn.case.changed not in alt and "Score" not in alt
        assert not any(diagnosis in alt for diagnosis in ward.DIAGNOSES)
        undrawn.next.click()
    assert undrawn.place == 0 and undrawn.score == (0, 0)


def test_time_can_be_moved(panel):
    last = panel.picture.alt
    panel.time.value = 0
    assert panel.picture.alt != last and f"After {panel.case.run.seen(0):,} of" in panel.picture.alt
    panel.next.click()
    assert panel.time.value == 11, "the next case begins with its end, where it can be seen best"


def test_a_diagnosis_is_committed_to_once_and_told(panel):
    to_a_sick_case(panel)
    before = pixels(panel).shape
    answer = decide(panel, right=False)
    alt = panel.picture.alt
    assert f"You said {answer}; it is {panel.case.diagnosis}." in alt and panel.case.reason in alt
    assert "The cured run" in alt and "Score: 0 of 1." in alt and "Score: 0 of 1." in panel._words.value
    assert pixels(panel).shape[0] > 1.5 * before[0], "the cured run stands below"
    assert panel.diagnosis.disabled
    panel.diagnosis.value = panel.case.diagnosis  # as a program could
    panel.commit.click()
    assert panel.score == (0, 1) and "You have committed" in panel._words.value


def test_the_score_counts_what_was_decided(undrawn):
    decide(undrawn, right=True)
    assert "Right: " in undrawn.picture.alt and undrawn.score == (1, 1)
    undrawn.next.click()
    assert not undrawn.diagnosis.disabled and undrawn.diagnosis.value == "choose"
    undrawn.next.click()  # one is left out
    decide(undrawn, right=False)
    assert undrawn.score == (1, 2) and "Score: 1 of 2." in undrawn.picture.alt
    for _ in undrawn.cases[2:]:
        undrawn.next.click()
    assert undrawn.place == 0 and undrawn.diagnosis.disabled and "Right: " in undrawn.picture.alt


def test_nothing_is_committed_without_a_choice(panel):
    panel.commit.click()
    assert panel.score == (0, 0) and not panel.diagnosis.disabled
    assert 'role="alert"' in panel._words.value and "Choose a diagnosis first" in panel._words.value


def test_two_with_one_seed_see_the_same(panel):
    other = widgets.Ward(seed=3)
    assert [case.key for case in other.cases] == [case.key for case in panel.cases]
    assert other.picture.alt == panel.picture.alt


def test_a_second_opinion_is_heard_after_the_commitment():
    panel = widgets.Ward(opinion=lambda case: f"nothing to say on {case.told}")
    assert "nothing to say" not in panel.picture.alt
    decide(panel, right=True)
    assert f"By its telemetry alone: nothing to say on {panel.case.told}." in panel.picture.alt


class Tags(HTMLParser):
    def __init__(self, page):
        super().__init__()
        self.found = []
        self.feed(page)

    def handle_starttag(self, tag, attributes):
        self.found.append((tag, dict(attributes)))


def test_where_nothing_can_be_pressed_a_picture_and_a_folded_list_are_left(panel):
    data, metadata = panel._repr_mimebundle_()
    assert data[widgets.VIEW]["model_id"] == panel.box.model_id
    assert metadata["image/png"]["alt"] == data["text/plain"] == panel.picture.alt
    tags = Tags(data["text/html"]).found
    names = [tag for tag, _ in tags]
    assert names.count("li") == len(panel.cases) and names.index("img") < names.index("details")
    image = next(attributes for tag, attributes in tags if tag == "img")
    assert image["alt"] == panel.picture.alt and "open" not in dict(tags)["details"]
    picture = Image.open(io.BytesIO(base64.b64decode(image["src"].partition("base64,")[2])))
    assert min(picture.size) > 300
    assert len(data["text/html"]) < 300_000, "a notebook has room for it"
