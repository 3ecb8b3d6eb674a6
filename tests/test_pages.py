"""The course as pages: whole, offline, computing the same pictures as PyTorch, alive in a real browser.

The browser's tests need Chromium (Debian, Ubuntu: `apt-get install chromium`) and the package playwright, which drives
it; those that look for what shuts people out need axe-core, which npm fetches once. Screenshots stay in build/browser/.
"""

import base64
import html
import json
import re
import shutil
from urllib.parse import unquote

import nbformat
import pytest
import torch
import torch.nn.functional as F
from torch import nn

import build
import operations
import page as single
import pages
from gan_course import checkpoint, data, latent, networks, runs, snapshots, style, toy, widgets
from gan_course.errors import CourseError
from gan_course.runs import PUBLISHED_FORMAT

VENDOR = build.HOME.parent / "build" / "vendor"
KATEX = VENDOR / "katex" if shutil.which("node") and (VENDOR / "katex").is_dir() else None
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
# What opens a widget that has a live form.
OPENS = re.compile(
    r"^widgets\.(latent_explorer|interpolator|time_scrubber|training_player|ward_round|number_writer|style_mixer|SizeCalculator|StepByStep)\(",
    re.MULTILINE,
)


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """All pages, written into a folder whose name has a blank in it."""
    made = pages.Site(tmp_path_factory.mktemp("a folder") / "pages")
    made.write(KATEX)
    return made


@pytest.fixture(scope="module")
def texts(site):
    return {path.name: path.read_text(encoding="utf-8") for path in site.out.glob("*.html")}


# Without a browser.


def test_every_lesson_is_there_and_so_are_its_exercises(site, texts):
    assert not site.notes
    slugs = [path.stem for path in build.sources(build.HOME)]
    expected = {f"{slug}{ending}.html" for slug in slugs for ending in ("", "_exercises", "_slides")}
    assert set(texts) == expected | {"index.html", "glossary.html", "instructors.html"}
    for slug in slugs:
        lesson, exercises = texts[f"{slug}.html"], texts[f"{slug}_exercises.html"]
        cards = re.findall(r"<h2[^>]*>(Exercise \d+\.\d+)", exercises)
        assert len(cards) >= 4 and cards == re.findall(r"<h3[^>]*>(Exercise \d+\.\d+)", lesson)
        assert (
            exercises.count("Your code here") >= len(cards)
            and lesson.count("<summary>A solution</summary>") >= 4
        )
    assert "mode collapse" in texts["glossary.html"]


def test_links_are_whole_and_nothing_comes_from_elsewhere(site, texts):
    for name, text in texts.items():
        ids = set(re.findall(r' id="([^"]+)"', text))
        for tag, attribute, link in re.findall(r'<(\w+)\b[^>]*?\s(href|src|srcset)="([^"]*)"', text):
            if link.startswith("https://"):
                assert (tag, attribute) == ("a", "href"), f"{name} loads {link}"
                continue
            path, _, anchor = unquote(link).partition("#")
            if link.startswith("data:"):
                continue
            assert not path or (site.out / path).is_file(), f"{name}: {link}"
            there = ids if not path else set(re.findall(r' id="([^"]+)"', texts.get(path, "")))
            assert not anchor or anchor in there, f"{name}: {link}"
        assert all(re.search(r'alt="[^"]+"', tag) for tag in re.findall(r"<img [^>]*>", text))
    assert "http" not in re.sub(r"<text[^>]*>", "", (site.out / "site.js").read_text(encoding="utf-8"))


def test_every_widget_that_can_live_on_a_page_does(texts):
    for path in build.sources(build.HOME):
        cells = nbformat.read(path.with_suffix(".ipynb"), as_version=4).cells
        opened = [cell.source for cell in cells if cell.cell_type == "code" and OPENS.search(cell.source)]
        found = texts[f"{path.stem}.html"].count("data-live=")
        assert found == len(opened), (
            f"{path.stem}: {found} of {opened}: make record, so that the outputs say how"
        )


def test_a_widget_of_an_unpublished_run_stays_a_picture(tmp_path):
    made = pages.Site(tmp_path)
    png = widgets.SizeCalculator().picture
    bundle, metadata = png._repr_mimebundle_()
    shown = made._shown("x", bundle, metadata | {"gan_course": {"widget": "player", "run": "mine"}})
    assert shown.startswith("<figure><img") and "no published run has that name" in made.notes[0]


def test_widgets_say_what_a_page_needs():
    gan = toy.ToyGAN(toy.eight_gaussians(), hidden=8, batch=8)
    own = {"up": torch.ones(100)}
    made = [
        widgets.latent_explorer("quick-digits", own, start=("up",), pictures=1),
        *(widgets.interpolator("quick-digits"), widgets.time_scrubber("quick-digits", pictures=1)),
        *(widgets.training_player("quick-digits"), widgets.SizeCalculator(), widgets.StepByStep(gan)),
        *(widgets.ward_round(), widgets.number_writer(), widgets.style_mixer("style-faces-64")),
    ]
    script = (pages.SITE / "live.js").read_text(encoding="utf-8")
    for panel in made:
        live = panel._repr_mimebundle_()[1]["gan_course"]
        assert json.loads(json.dumps(live)) == live and f"WIDGETS.{live['widget']} =" in script
    assert made[0].live()["directions"] == {"up": [0.1] * 100}
    assert widgets.ward_round(opinion=lambda case: "").live() is None
    gan.step_d()  # no whole round: a page could not repeat it
    assert widgets.StepByStep(gan).live() is None and widgets.latent_explorer("none").live() is None


def test_the_modules_stay_small():
    assert sum((pages.SITE / f"{name}.js").stat().st_size for name in ("gan", "plane")) <= 30_000


def test_without_node_it_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(CourseError, match="install npm"):
        pages.typeset([("x", False)], tmp_path)


@pytest.mark.skipif(KATEX is None, reason="no Node.js, or no KaTeX yet, which make pages fetches")
def test_formulas_are_typeset(site, texts):
    assert len(site.formulas) > 100
    for name, text in texts.items():
        assert not re.search(r"katex-error|(?<![\w`])\$\$", text), name


class Branching(nn.Module):
    """What later generators are made of: a norm of z, a modulated convolution, a branch, two ways to grow."""

    latent_dim = 100

    def __init__(self):
        super().__init__()
        self.first, self.style = nn.Linear(100, 8 * 4 * 4), nn.Linear(100, 8)
        self.weight, self.bias = nn.Parameter(torch.randn(8, 8, 3, 3) / 8), nn.Parameter(torch.randn(8))
        self.norm, self.last = nn.BatchNorm2d(8), nn.Conv2d(8, 3, 1)
        self.grow = nn.Upsample(scale_factor=2, mode="bilinear", align_corners=False)
        self.register_buffer("noise", torch.randn(1, 1, 4, 4), persistent=False)

    def forward(self, z):
        z = z * (z.square().mean(1, keepdim=True) + 1e-8).rsqrt()
        x = self.first(z).view(-1, 8, 4, 4) + self.noise * self.bias[:, None, None]
        style = 1 + self.style(z)
        y = F.conv2d(x * style[:, :, None, None], self.weight, padding=1)
        lengths = style.square() @ self.weight.square().sum((2, 3)).T
        x = x + F.leaky_relu(y * (lengths + 1e-8).rsqrt()[:, :, None, None], 0.2) * 2**0.5
        x = F.interpolate(self.norm(self.grow(x)), scale_factor=2, mode="nearest")
        return self.last(x)


def fresh(network):
    """A network with weights and running statistics drawn at random."""
    dice = torch.Generator().manual_seed(3)
    for layer in network.modules():
        if isinstance(layer, nn.BatchNorm1d | nn.BatchNorm2d):
            for tensor, low in (
                (layer.weight, 0.5),
                (layer.bias, -0.5),
                (layer.running_mean, -0.5),
                (layer.running_var, 0.5),
            ):
                tensor.data.uniform_(low, low + 1, generator=dice)
    return network.requires_grad_(False).eval()


def families():
    made = {"branching": Branching()}
    for name, (_, _, sizes) in networks.FAMILIES.items():
        made[name] = networks.build(name, channels=1, size=(sizes or (28,))[0], width=1 / 8)[0]
    return {name: fresh(network) for name, network in made.items()}


def test_what_a_page_cannot_compute_is_named():
    with pytest.raises(CourseError, match="a page cannot compute sort"):
        operations.described(nn.Sequential(nn.Linear(100, 4), Sorted()), 100)
    with pytest.raises(CourseError, match="convolution with groups 2"):
        operations.described(nn.Sequential(nn.Unflatten(1, (100, 1, 1)), nn.Conv2d(100, 4, 1, groups=2)), 100)


class Sorted(nn.Module):
    def forward(self, x):
        return x.sort().values


# In a browser.

playwright = pytest.importorskip(
    "playwright.sync_api", reason="playwright is not installed: pip install playwright"
)
in_a_browser = pytest.mark.skipif(
    CHROMIUM is None, reason="no Chromium on this machine: apt-get install chromium (Debian, Ubuntu)"
)


@pytest.fixture(scope="module")
def browser():
    with playwright.sync_playwright() as driver:
        made = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield made
        made.close()


@pytest.fixture(scope="module")
def page(browser, site):
    """A page of the site; `complaints` are errors and requests that leave its folder, `open` opens another one."""
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    page.set_default_timeout(120_000)
    page.complaints = []
    page.on("console", lambda m: page.complaints.append(m.text) if m.type == "error" else None)
    page.on("pageerror", lambda error: page.complaints.append(str(error)))
    inside = ("data:", "blob:", site.out.as_uri())
    page.on("request", lambda r: None if r.url.startswith(inside) else page.complaints.append(r.url))
    page.open = lambda name: page.goto(f"{site.out.as_uri()}/{name}.html")
    return page


def draw(page, name, given):
    """Pictures by the generator that the worker knows by that name, of latents {z} or of styles, uint8 [n, 3, H, W]."""
    drawn = page.evaluate(
        """async ([name, given]) => (await ganCourse.ask("draw", {name, given})).map(({width, data}) =>
            [width, btoa(Array.from(data, byte => String.fromCharCode(byte)).join(""))])""",
        [name, given],
    )
    width = drawn[0][0]
    pixels = [torch.frombuffer(bytearray(base64.b64decode(text)), dtype=torch.uint8) for _, text in drawn]
    return torch.stack(pixels).reshape(len(drawn), -1, width, 4)[..., :3].permute(0, 3, 1, 2)


def farthest(page, name, G, n=64):
    """The largest difference from PyTorch's pictures of n latents, in grey levels."""
    z = latent.of(G, n, 5)
    with torch.no_grad():
        expected = data.to_uint8(G(z)).expand(-1, 3, -1, -1)
    return (draw(page, name, [{"z": one} for one in z.tolist()]).int() - expected.int()).abs().max().item()


WITHOUT_WEBASSEMBLY = """message => {
    const {WebAssembly} = globalThis;
    delete globalThis.WebAssembly;
    const {tasks} = ganCourse.modules();
    globalThis.WebAssembly = WebAssembly;
    tasks.open(message);
    ganCourse.ask = async (_, message) => tasks.draw(message);
}"""
LOAD = """async name => {
    const script = document.createElement("script");
    script.src = `${name}.js`;
    const loaded = new Promise((resolve, reject) => { script.onload = resolve; script.onerror = reject; });
    document.head.append(script);
    await loaded;
}"""


@in_a_browser
def test_published_generators_draw_what_pytorch_draws(page, site):
    page.open("glossary")
    page.evaluate(
        "ganCourse.kept = {}; ganCourse.receive = (name, value) => { ganCourse.kept[name] = value; }"
    )
    known = [(name, None) for name in runs.published() if (site.out / f"runs/{name}.js").exists()]
    shown = [name for name, _ in known if any(site.out.glob(f"runs/{name}-[0-9]*.js"))]
    known += [(name, step) for name in shown for step in runs.find(name).snapshots[::5]]
    assert len(shown) >= 1 and len(known) >= len(runs.published())
    for name, step in known:
        file = f"runs/{name}" if step is None else f"runs/{name}-{step}"
        page.evaluate(LOAD, f"runs/{name}")
        page.evaluate(LOAD, file)
        page.evaluate(
            """([name, file]) => ganCourse.ask("open",
                {name: file, card: ganCourse.kept[name].card, weights: ganCourse.kept[file].weights})""",
            [f"runs/{name}", file],
        )
        assert farthest(page, file, runs.find(name).generator(step=step)) <= 1, file


def opened(page, name, G, folder):
    """The message that opened a generator in the worker, its weights in 8 bits there and here."""
    packed = snapshots.pack(G.state_dict())
    path = checkpoint.write(folder / "g.safetensors", {"format": PUBLISHED_FORMAT}, packed)
    G.load_state_dict(snapshots.unpack(packed))
    card = json.loads(json.dumps(operations.described(G, 100)))
    message = {"name": name, "card": card, "weights": base64.b64encode(path.read_bytes()).decode()}
    page.open("glossary")
    page.evaluate("message => ganCourse.ask('open', message)", message)
    return message


@in_a_browser
@pytest.mark.parametrize("name", [*networks.FAMILIES, "branching"])
def test_networks_of_every_kind_are_computed(name, page, tmp_path):
    G = families()[name]
    message = opened(page, name, G, tmp_path)
    assert farthest(page, name, G) <= 1
    page.evaluate(WITHOUT_WEBASSEMBLY, message)
    assert farthest(page, name, G, n=4) <= 1


@in_a_browser
def test_each_layer_takes_a_style_of_its_own(page, tmp_path):
    G = families()["style"]
    names = opened(page, "styles", G, tmp_path)["card"]["styles"]
    z = latent.of(G, 2, 5)
    with torch.no_grad():
        one, other = G.mapping(z).split(1)
        expected = data.to_uint8(G.synthesis(style.mix(one, other, range(1, G.layers), G.layers))).expand(-1, 3, -1, -1)
    ask = "([of, z]) => ganCourse.ask('value', {name: 'styles', of, given: {z}})"
    found = [page.evaluate(ask, [names[0], row]) for row in z.tolist()]
    assert torch.allclose(torch.tensor(found), torch.cat([one, other]), atol=1e-5) and len(names) == G.layers
    mixed = draw(page, "styles", [{name: found[i > 0] for i, name in enumerate(names)}])
    assert (mixed.int() - expected.int()).abs().max() <= 1


@in_a_browser
@pytest.mark.parametrize("shape", [(1, 100), (12, 100), (16, 2)])
def test_the_same_seed_gives_the_same_latents(shape, page):
    page.open("glossary")
    drawn = page.evaluate(
        "([n, seed]) => Array.from(new ganCourse.Random(seed).normal(n))", [shape[0] * shape[1], 7]
    )
    assert torch.allclose(torch.tensor(drawn).reshape(shape), latent.draw(*shape, 7), atol=1e-5)


@in_a_browser
def test_the_plane_is_the_toy_gan(page):
    page.open("glossary")
    gan = toy.ToyGAN(toy.eight_gaussians(), seeds=[4])
    gan.train(3, d_steps=2)
    ours = widgets.StepByStep(gan).live()
    state = page.evaluate("options => ganCourse.ask('begin', options)", ours)
    assert (state["d"], state["g"]) == (gan.d_steps, gan.g_steps) == (6, 3)
    assert [state["lossD"], state["lossG"]] == pytest.approx(gan.losses()[0], abs=1e-3)
    points = torch.tensor(state["points"]).reshape(-1, 2)
    assert torch.allclose(points, gan.samples(500)[0], atol=1e-3)


def widget(page, name, kind, at=0):
    """A live widget of a page: its figure, once its controls are there."""
    page.open(name)
    figure = page.locator(f'figure[data-live*=\'"widget":"{kind}"\']').nth(at)
    figure.scroll_into_view_if_needed()
    figure.locator(".stage").wait_for()
    return figure


RECORDED = [
    ("05_latent_space", "explorer", "by (1)", "ArrowRight", "moved along dimension 0 by +0.1"),
    ("05_latent_space", "interpolator", "across", "Home", "the picture 0% across, 50% down"),
    ("05_latent_space", "scrubber", "training time", "Home", "after 0 images (step 0)"),
    ("05_latent_space", "player", "time", "Home", "after 0 images. Nothing is trained yet."),
    (
        "03_dcgan_mnist",
        "calculator",
        "kernel",
        "ArrowLeft",
        "A transposed convolution with k3 s2 p1 makes 7 outputs",
    ),
    ("06_when_training_fails", "ward", "time", "Home", "images D's loss is"),
    ("08_after_dcgan", "writer", "written by", "Home", "all digits from one latent"),
    ("08_after_dcgan", "mixer", "truncation ψ", "Home", "psi is 0.00."),
]


@in_a_browser
@pytest.mark.parametrize("lesson, kind, label, key, said", RECORDED, ids=[row[1] for row in RECORDED])
def test_it_opens_as_it_was_recorded_and_moves(lesson, kind, label, key, said, page, texts):
    figure = widget(page, lesson, kind)
    found = re.search(
        rf'data-live="[^"]*{kind}[^"]*">.*?<img [^>]*alt="([^"]*)"', texts[f"{lesson}.html"], re.DOTALL
    )
    words, stage = figure.locator(".words"), figure.locator(".stage")
    assert words.inner_text() == html.unescape(found[1]) == stage.get_attribute("aria-label")
    before = figure.screenshot()
    figure.get_by_label(label, exact=True).focus()
    page.keyboard.press(key)
    playwright.expect(words).to_contain_text(said)
    assert figure.screenshot() != before
    folder = build.HOME.parent / "build" / "browser"
    folder.mkdir(parents=True, exist_ok=True)
    figure.screenshot(path=folder / f"page_{kind}.png")


@in_a_browser
def test_the_player_plays_by_the_keyboard(page):
    figure = widget(page, "05_latent_space", "player")
    step = figure.get_by_role("button", name="step back")
    step.focus()
    page.keyboard.press("ArrowLeft")
    playwright.expect(figure.locator("output")).to_have_text("22")
    figure.get_by_label("speed").select_option("fast")
    figure.get_by_role("button", name="play").click()
    playwright.expect(figure.locator("output")).to_have_text("23")
    playwright.expect(figure.get_by_role("button", name="play")).to_be_visible()  # it has come to its end


@in_a_browser
def test_nonsense_in_a_field_is_answered(page):
    figure = widget(page, "05_latent_space", "explorer")
    words, before = figure.locator(".words"), figure.locator(".stage").screenshot()
    for nonsense in ("1.5", "-1", "99999999999", ""):
        figure.get_by_label("seed", exact=True).fill(nonsense)
        playwright.expect(words).to_contain_text("a whole number from 0 to 2,147,483,647 works")
        assert words.get_attribute("role") == "alert" and figure.locator(".stage").screenshot() == before
    figure.get_by_role("button", name="other latents").click()
    playwright.expect(words).to_contain_text("latents of seed 1,")


@in_a_browser
def test_of_generators_the_last_choice_counts(page):
    figure = widget(page, "index", "explorer")
    figure.get_by_label("seed", exact=True).fill("7")
    names = ["faces-96", "quick-faces", "faces-128", pages.FRONT["run"]]
    page.evaluate(
        """async names => { for (const name of names) {
            const list = document.querySelector("figure[data-live] .last select");
            list.value = name;
            list.dispatchEvent(new Event("input"));
            await new Promise(resolve => setTimeout(resolve, 30));
        } }""",
        names,
    )
    playwright.expect(figure.locator(".words")).to_contain_text(f"pictures of {names[-1]}, latents of seed 7")
    assert figure.get_by_label("generator", exact=True).input_value() == names[-1]


@in_a_browser
def test_a_deck_prints_all_its_slides(page):
    page.open("03_dcgan_mnist_slides")
    slides = page.locator(".slide")
    assert page.locator(".slide:visible").count() == 1 < slides.count()
    page.emulate_media(media="print")
    assert page.locator(".slide:visible").count() == slides.count()
    page.emulate_media(media="screen")


@in_a_browser
def test_a_case_is_diagnosed(page):
    figure = widget(page, "06_when_training_fails", "ward")
    words = figure.locator(".words")
    figure.get_by_role("button", name="commit").click()
    playwright.expect(words).to_contain_text("Choose a diagnosis first")
    figure.get_by_label("D too fast").check()
    figure.get_by_role("button", name="commit").click()
    playwright.expect(words).to_contain_text("of 1.")
    figure.get_by_role("button", name="next case").click()
    playwright.expect(words).to_contain_text("Case 2 of")


@in_a_browser
def test_the_plane_is_trained_in_the_page(page):
    figure = widget(page, "01_minimax_theory", "plane")
    words = figure.locator(".words")
    playwright.expect(words).to_contain_text("Steps made: D 200, G 200.")
    figure.get_by_label("steps a press").select_option("10")
    figure.get_by_role("button", name="step D").click()
    playwright.expect(words).to_contain_text("Steps made: D 210, G 200.")
    figure.get_by_role("button", name="reset").click()
    playwright.expect(words).to_contain_text("Steps made: D 0, G 0.")


@in_a_browser
@pytest.mark.parametrize("damage", ["missing", "cut", "other"])
def test_weights_that_are_missing_or_damaged_leave_the_picture(damage, browser, site, tmp_path):
    shutil.copytree(site.out, tmp_path / "copy")
    weights = tmp_path / "copy" / "runs" / f"{pages.FRONT['run']}.js"
    if damage == "missing":
        weights.unlink()
    else:
        text = weights.read_text()
        kept = (
            re.sub(r'"weights":"(.{4000}).*"', r'"weights":"\1"', text)
            if damage == "cut"
            else "ganCourse.x = 1"
        )
        weights.write_text(kept)
    page = browser.new_page()
    page.goto((tmp_path / "copy" / "index.html").as_uri())
    playwright.expect(page.locator(".excuse")).to_contain_text("the picture stays still")
    assert page.locator("figure.live img").is_visible() and page.locator(".stage").count() == 0
    page.close()


@in_a_browser
def test_without_javascript_the_pictures_are_there(browser, site):
    page = browser.new_page(java_script_enabled=False)
    page.goto(f"{site.out.as_uri()}/05_latent_space.html")
    still = page.locator("figure.live img").first
    still.scroll_into_view_if_needed()
    assert still.is_visible() and page.locator("figure.live button").count() == 0
    page.close()


@in_a_browser
def test_sections_are_found(page):
    page.open("03_dcgan_mnist")
    page.get_by_label("Search the course").fill("wasserstein Lipschitz")
    found = page.get_by_role("list", name="Found").get_by_role("link").first
    playwright.expect(found).to_contain_text("When training fails")
    found.click()
    page.wait_for_url(re.compile(r"/06_when_training_fails\.html#"))
    page.get_by_label("Search the course").fill("zzzz")
    playwright.expect(page.get_by_role("search")).to_contain_text("nothing found")


SLIDE = """async () => {
    await document.fonts.ready;  // formulas are fitted when their type has come
    await new Promise(requestAnimationFrame);
    const all = [...document.querySelectorAll(".slide")], slides = all.filter(one => one.checkVisibility());
    const slide = slides[0], found = [];
    for (const one of slide.querySelectorAll("*")) {
        const formula = one.closest(".katex"), drawn = one.closest("svg");
        if (one.closest(".notes") || formula && !one.matches(".katex-display") || !one.checkVisibility()) continue;
        const box = one.getBoundingClientRect(), style = getComputedStyle(one);
        const told = `${one.tagName} ${one.textContent.slice(0, 40)}`;
        if (!drawn && (box.left < -1 || box.right > innerWidth + 1 || box.top < -1 || box.bottom > innerHeight + 1))
            found.push(`outside: ${told}`);
        if (!drawn && !one.matches("select") && style.overflow !== "visible"
            && (one.scrollHeight > one.clientHeight + 2 || one.scrollWidth > one.clientWidth + 2))
            found.push(`clipped: ${told}`);
        if (one.dataset.type) {  // a figure: its letters grow with it
            const shown = Math.min(box.width, box.height * one.naturalWidth / one.naturalHeight);
            const letters = one.dataset.type * shown / one.getAttribute("width");
            if (letters < 23.9) found.push(`${letters.toFixed(1)} px in ${one.alt.slice(0, 40)}`);
        }
        if (![...one.childNodes].some(child => child.nodeType === 3 && child.data.trim())) continue;
        const size = parseFloat(style.fontSize) * (one.matches("text") ? one.getScreenCTM().a : 1);
        if (size < 23.9) found.push(`${size.toFixed(1)} px: ${told}`);
    }
    const [asked, told] = [".asked", ".told"].map(name => Boolean(slide.querySelector(name)?.checkVisibility()));
    const headings = slide.querySelectorAll(".told h1, .told h2").length;
    const [question, live] = [".asked", "[data-live]"].map(name => Boolean(slide.querySelector(name)));
    return {at: all.indexOf(slide), shown: slides.length, question, asked, told, headings, live, found};
}"""


@in_a_browser
def test_every_slide_can_be_read(browser, site):
    """At 1280 by 720 nothing is cut off or smaller than 24 pixels, and no deck has more than 30 slides."""
    page, found = browser.new_page(viewport={"width": 1280, "height": 720}), []
    for path in sorted(site.out.glob("*_slides.html")):
        page.goto(path.as_uri())
        count = page.locator(".slide").count()
        assert 10 <= count <= 30, path.name
        for i in range(count):
            slide = page.evaluate(SLIDE)
            assert slide["at"] == i
            if slide["question"]:
                assert slide["asked"] and not slide["told"]
                found += [f"{path.stem} {i + 1}: {what}" for what in slide["found"]]
                page.keyboard.press("ArrowRight")
                slide = page.evaluate(SLIDE)
            if slide["live"]:
                page.locator(".slide:visible .stage").wait_for()
                slide = page.evaluate(SLIDE)
            assert slide["told"] and slide["shown"] == slide["headings"] == 1
            found += [f"{path.stem} {i + 1}: {what}" for what in slide["found"]]
            page.keyboard.press("ArrowRight")
        page.keyboard.press("Home")
        assert page.locator(".slide").first.is_visible() and page.locator(".slide:visible").count() == 1
    page.close()
    assert not found


@in_a_browser
def test_notes_follow_in_a_window_of_their_own(browser, site):
    page = browser.new_page(viewport={"width": 1280, "height": 720})
    page.goto(f"{site.out.as_uri()}/01_minimax_theory_slides.html#2")
    with page.expect_popup() as popup:
        page.keyboard.press("s")
    notes = popup.value
    notes.locator(".bar").wait_for()
    playwright.expect(notes.locator(".slide:visible .notes")).to_contain_text("change of variables")
    page.keyboard.press("PageDown")
    playwright.expect(notes.locator(".bar output")).to_have_text(re.compile("^3 / "))
    notes.keyboard.press("ArrowLeft")
    playwright.expect(page.locator(".bar output")).to_have_text(re.compile("^2 / "))
    assert page.locator(".slide:visible .notes").is_hidden()
    notes.close()
    page.close()


@in_a_browser
def test_a_run_as_one_page_plays(browser, tmp_path):
    page = browser.new_page()
    page.goto(single.write(runs.find("quick-digits"), tmp_path / "alone.html").as_uri())
    words = page.locator(".words")
    page.get_by_role("button", name="step back").click()
    playwright.expect(words).to_contain_text("Curves so far")
    page.get_by_label("time", exact=True).focus()
    page.keyboard.press("Home")
    playwright.expect(words).to_contain_text("Nothing is trained yet")
    page.close()


@in_a_browser
def test_every_page_opens_in_silence_and_fits_a_telephone(page, texts):
    page.set_viewport_size({"width": 390, "height": 844})
    page.complaints.clear()
    wide = []
    for name in texts:
        page.open(name.removesuffix(".html"))
        if page.evaluate("document.documentElement.scrollWidth") > 390:
            wide.append(name)
    page.set_viewport_size({"width": 1280, "height": 900})
    assert not wide and not page.complaints


@in_a_browser
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nobody_is_shut_out(scheme, page):
    """axe-core finds nothing serious; code is looked at on one page, where it takes the least time."""
    try:
        pages.vendor(VENDOR, {"axe-core": "4"})
    except CourseError as error:
        pytest.skip(str(error))
    page.emulate_media(color_scheme=scheme)
    found, dark = [], scheme == "dark"
    names = ["index", "06_when_training_fails", "00_start_here_exercises", "05_latent_space_slides"]
    for name in names if dark else [*names, "05_latent_space", "instructors"]:
        page.open(name)
        for figure in page.locator("figure[data-live]:visible").all():
            figure.scroll_into_view_if_needed()
            figure.locator(".stage").wait_for()
        page.add_script_tag(path=VENDOR / "axe-core" / "axe.min.js")
        without = [] if "exercises" in name else [[".code"], [".katex"]]
        rules = {"resultTypes": ["violations"]} | ({"runOnly": ["color-contrast"]} if dark else {})
        result = page.evaluate("([exclude, rules]) => axe.run({exclude}, rules)", [without, rules])
        found += [
            f"{name}: {v['id']} ({v['impact']}) {v['nodes'][0]['html'][:150]}"
            for v in result["violations"]
            if v["impact"] in ("serious", "critical")
        ]
    page.emulate_media(color_scheme="light")
    assert not found
