# %% [markdown]
# # 06 · When training fails
#
# > After it you can tell a sick run from its log, say what makes it sick, and prescribe a remedy whose reason you know.
#
# {{badge}}
#
# **After this lesson you can**
#
# - say what healthy telemetry looks like, and which of its numbers say nothing about the pictures,
# - provoke the classic failures on purpose and hold what is said about them against what you measure,
# - write the hinge loss, the gradient penalty and R1, each from its formula,
# - say why a penalty wants a slope of 1 in one theory and of 0 in another, and predict how fast the second one settles,
# - find a bug in code that trains all the same, and write the test that would have found it,
# - put a remedy into a recipe, or into a training step of your own, and compare fairly with the untreated run.
#
# | | two CPU cores | Colab T4 |
# |---|---|---|
# | minutes to run it all | about 2 | not measured yet |
# | minutes to read and solve it | about 300, in three sittings | about 300, in three sittings |
#
# **Three sittings.** Sections 1 to 4 look at sick runs; sections 5 to 7 derive penalties and prescribe; the rest holds remedies, diagnoses and other people's bugs against what was measured, and ends with a step of your own.
#
# Read first: lesson 01 up to its section 4 (the Dirac-GAN and eigenvalues), lesson 02 for the training loop, lesson 03 for the network.

# %% tags=["setup"]
import shutil
import subprocess
import sys

if "google.colab" in sys.modules:  # Colab has torch and the rest already: add the course, change nothing else
    course = "git+{{repository}}@v{{version}}"
    subprocess.run([sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", course], check=True)
    if not shutil.which("nvidia-smi"):
        print("No GPU yet: Runtime → Change runtime type → T4 GPU, then run this cell again.")

# %%
import math

import numpy as np
import torch
import torch.nn.functional as F

from gan_course import (
    data,
    devices,
    judge,
    losses,
    metrics,
    profiles,
    recipes,
    runs,
    sampling,
    show,
    terminal,
    toy,
    training,
)
from gan_course.checks import lesson_06
from gan_course.errors import CourseError
from gan_course.gan import GAN
from gan_course.study_table import ILLNESSES, REMEDIES, SLOWER

SEED = 0
here = profiles.current()
device = devices.default()
digits, unseen = data.load("mnist", device=device), data.load("mnist", split="test", device=device)
print(f"profile {here.name}: {here.about}; computing on {devices.name(device)}")
print(digits.source)

# %% [markdown]
# ## 1 · Healthy first
#
# "D's loss is 0.3. Is that bad?" Nobody can say without knowing what a good run shows. So look at a good one first: the published run of `quick-digits`, 600,000 digits long. Each row below is a sixth of it.
#
# Two marks to read it by. A D that says ½ to everything has the loss 2 log 2 = 1.386 and is right on half of the pictures. A D that is sure and right has the loss 0.
#
# **Predict:** the pictures get better and better. What do the two losses do meanwhile?

# %% slide="Healthy is a contest: both losses stay in a band"
published = runs.find("quick-digits")
history = published.history
columns = ("loss_d", "loss_g", "d_real", "d_fake", "right_real", "right_fake")
rows = [("up to images", *columns)]
for part in np.array_split(np.arange(len(history)), 6):
    means = [f"{history[column][part].mean():.2f}" for column in columns]
    rows.append((f"{history['images'][part[-1]]:,.0f}", *means))
print(terminal.aligned(rows, numbers=True))
swing = np.quantile(history["loss_g"], [0.05, 0.95])
print(f"G's loss in nine of ten rows of the log: {swing[0]:.2f} to {swing[1]:.2f}; D that says 1/2: {2 * math.log(2):.3f}")

# %% [markdown]
# The healthy state is a **contest**: D is right more often than not and far from always, and both losses stay in a band. They do not fall to anything, because each player's loss depends on the other one's skill. (`d_real` is the mean D(x), `right_real` the share of real pictures that D scores above ½, and so on.)
#
# So what tells you that the pictures improve? Not the losses. The course's judge of digits (a classifier, lesson 03) turns each picture into 128 features; the **Fréchet distance** between the features of real and of generated pictures, smaller is better, says how far apart the two clouds are. Lesson 00's run left copies of G along the way:

# %% slide="The distance falls to a few hundredths; D's loss rises"
expert = judge.load("mnist", device)
test_images = unseen.images[:2_000]
real_features, real_logits = judge.look(expert, test_images)


def spread(images):
    """How much pictures differ from each other: the standard deviation of a pixel, averaged over the pixels."""
    return images.float().std(dim=0).mean().item()


real_spread = spread(test_images.cpu())


def seen(images):
    """What the judge says of generated pictures."""
    features, logits = judge.look(expert, images)
    shares = torch.bincount(logits.argmax(1), minlength=10) / len(images)
    return {
        "distance": metrics.frechet_distance(real_features, features),
        "sure": logits.softmax(1).max(1).values.mean().item(),  # mean probability of the class that it sees
        "kinds": torch.special.entr(shares).sum().exp().item(),  # of digits: 10 if all are equally frequent, 1 if one
        "spread": spread(images) / real_spread,
    }


real_sure = real_logits.softmax(1).max(1).values.mean().item()
kept = [step for step in published.snapshots if step > 0]
rows = [("step", "distance", "D's loss", "G's loss")]
by_step = []
for index in np.linspace(0, len(kept) - 1, here.pick(ci=3, cpu=5, colab=5, full=5)).round().astype(int):
    images = sampling.sample(published.generator(device, step=kept[index]), 2_000, seed=1)
    near = np.abs(history["step"] - kept[index]).argsort()[:20]
    by_step.append((kept[index], seen(images)["distance"], *(history[c][near].mean() for c in ("loss_d", "loss_g"))))
    rows.append((f"{kept[index]:,}", *(f"{value:.2f}" for value in by_step[-1][1:])))
print(terminal.aligned(rows, numbers=True))
first, last = by_step[0], by_step[-1]
changed = (f"{name} × {b / a:.2f}" for name, a, b in zip(("distance", "D's loss", "G's loss"), first[1:], last[1:]))
print(f"from the first row to the last: {', '.join(changed)}")

# %% [markdown]
# The distance falls to a few hundredths of what it was. Meanwhile G's loss falls by less than half, and D's *rises*: its task has become harder. Nothing in either loss says how far the pictures have come, or whether they still improve. **A loss curve of a GAN tells you about the balance of the game, not about the pictures.** That is why a diagnosis needs both: a log and a look.
#
# ## 2 · Three ways to be ill
#
# Notes on a 128-pixel DCGAN (a section headed *失衡表现*, "signs of imbalance") name two illnesses, *D learns too fast* and *G learns too fast*, and fear a third, *mode collapse*. To provoke them it takes nothing but Adam's settings:

# %%
# NBVAL_CHECK_OUTPUT
for name, changes in {"healthy": {}, **ILLNESSES}.items():
    recipe = recipes.get("quick-digits").but(**changes)
    print(f"{name:10s} D's rate {recipe.lr_d:g}, G's rate {recipe.lr_g:g}, Adam's betas {recipe.betas}")

# %% [markdown]
# Four runs, same seed, same digits in the same order. Besides its telemetry each of them keeps two things: what G had learnt halfway, and the **spread** of the 64 watched pictures: how much they differ from each other, in parts of what real digits do. (1: as much. 0: one picture for every z.)
#
# **Predict** before you run: with G's rate twenty times D's, which of the two losses is the higher one?

# %%
UNTIL = here.pick(ci=40, cpu=500, colab=2_000, full=5_000)  # steps of 32 digits
sound_recipe = recipes.get("quick-digits").at(here)


def live_run(changes, step=None):
    """Train a changed `quick-digits`: the run, its log, and pictures from halfway."""
    gan, spreads, halfway = GAN(sound_recipe.but(**changes), SEED, device), [], None
    for _ in training.train(gan, digits.images, UNTIL, report_every=UNTIL // 10, step=step):
        spreads.append(spread(gan.draw()) / real_spread)
        if gan.step == UNTIL // 2:
            halfway = sampling.sample(gan.average, 2_000, seed=1)
    log = {name: gan.history[name] for name in ("loss_d", "loss_g")}
    log["right"] = (gan.history["right_real"] + gan.history["right_fake"]) / 2
    return gan, {**log, "spread": np.array(spreads)}, halfway


lived = {name: live_run(changes) for name, changes in {"healthy": {}, **ILLNESSES}.items()}
made = {name: sampling.sample(gan.average, 2_000, seed=1) for name, (gan, _, _) in lived.items()}

# %% slide="Three ways to be ill: with a fast G it is D's loss that is the higher one"
figure, axes = show.new_figure(9, 3.8, nrows=2, ncols=4, sharex=True, sharey="row")
for (name, (gan, log, _)), (above, below) in zip(lived.items(), axes.T):
    images = gan.history["images"]
    width = max(1, len(images) // 20)
    smooth = np.ones(width) / width
    for column, colour, label in (("loss_d", show.BLUE, "D's loss"), ("loss_g", show.RED, "G's loss")):
        above.plot(images[width - 1 :], np.convolve(log[column], smooth, "valid"), color=colour, label=label)
    above.axhline(2 * math.log(2), color=show.GREY, lw=1, ls=":")
    above.set(title=name, ylim=(0, 8))
    below.plot(images[width - 1 :], np.convolve(log["right"], smooth, "valid"), color=show.GREEN, label="D is right")
    reports = np.linspace(0, gan.images, len(log["spread"]) + 1)[1:]
    below.plot(reports, log["spread"], color=show.PINK, label="spread")
    below.set(ylim=(0, 1.3))
    below.xaxis.set_major_formatter(lambda x, _: f"{x / 1000:g}k")
    below.locator_params(axis="x", nbins=3)
lines = [line for axis in axes[:, 0] for line in axis.get_legend_handles_labels()[0]]
figure.legend(handles=lines, loc="outside upper center", ncols=4)
figure.supxlabel("real images seen")
ends = "; ".join(
    f"{name} {log['loss_d'][-width:].mean():.2f} and {log['loss_g'][-width:].mean():.2f}"
    for name, (_, log, _) in lived.items()
)
show.figure(
    figure,
    f"Four runs side by side. Above, both losses, dotted the blind D's; D's and G's at the end: {ends}. "
    "Below, the share of pictures on which D is right, and the spread of G's pictures.",
)

# %% slide="A log says who leads; what is lost, only pictures show"
words = ", ".join(f"{name} {seen(images)['kinds']:.1f}" for name, images in made.items())
show.beside(
    {name: images[:36] for name, images in made.items()},
    f"36 pictures of each of the four runs. Kinds of digits that the judge counts in them: {words}.",
)

# %% [markdown]
# ### Exercise 6.1 · Read a sick log
# Difficulty ●●○○○ · 20 minutes · why it matters: a rule that you can write down is one that you can doubt.
#
# Write a rule that reads a log. `log["loss_d"]`, `log["loss_g"]` and `log["right"]` hold a number a step (NaN where a network rested), `log["spread"]` a number a report. Judge by the mean over the **last fifth** of a column:
#
# - D is right on more than 90 %: `"D too fast"`; on less than 50 %: `"G too fast"`;
# - otherwise the game is even, and a spread below 0.5 says `"collapse"`, any other `"healthy"`.
#
# The check tries it on logs made by hand. Some of them deceive: by their beginning, by their last value, or by a loss.
#
# <details><summary>Hint 1</summary>
#
# Which columns does the rule need? Neither loss is among them. Think of a D with smoothed labels, whose loss has a floor at 0.65 (lesson 02).
#
# </details>
# <details><summary>Hint 2</summary>
#
# `np.nanmean` leaves NaN out. `values[-(len(values) // 5):]` is the last fifth, however long the column is.
#
# </details>

# %%
def diagnose(log):
    """'healthy', 'D too fast', 'G too fast' or 'collapse'."""
    # solution
    right, spread_now = (np.nanmean(log[name][-(len(log[name]) // 5) :]) for name in ("right", "spread"))
    if right > 0.9:
        return "D too fast"
    if right < 0.5:
        return "G too fast"
    return "collapse" if spread_now < 0.5 else "healthy"
    # end solution


# %%
lesson_06.exercise_1(diagnose)

# %% [markdown]
# Now your rule reads the four live runs:

# %%
verdicts = {name: diagnose(log) for name, (_, log, _) in lived.items()}
agreed = sum(verdict.lower().replace(" ", "-") == name for name, verdict in verdicts.items())
for name, (_, log, _) in lived.items():
    end = {column: np.nanmean(values[-(len(values) // 5) :]) for column, values in log.items()}
    numbers = ", ".join(f"{column} {value:.2f}" for column, value in end.items())
    print(f"provoked as {name:10s} → {verdicts[name]:10s} ({numbers})")
readable = verdicts["healthy"] == "healthy"
too_short = "not even the healthy run reads as healthy: these runs are too short to tell one from another"
print(f"{agreed} of 4 read as they were provoked;", "the healthy run does" if readable else too_short)

# %% [markdown]
# Where the verdict differs from what was provoked, ask which of the two is wrong. A log says **who leads**, and not **why**: a D with twenty times G's rate and a D whose Adam remembers too long may both end up right nearly all the time. And variety can be lost under any of the three. "Collapse" is not a third kind of telemetry beside the other two. It is something that pictures show, whatever the balance. Your rule asks for the balance first, so it calls only those runs collapsed whose balance looks good.
#
# Every run is also young once. In its first steps D may be right nearly always, because noise is easy to tell from digits, and the spread is small. A rule for the end of a run is no rule for its first minute.
#
# ## 3 · What is said, and what is measured
#
# Here is every symptom that the notes name, as a condition on numbers, against the healthy run of the same seed and length. **Predict** the one that is most often repeated: does G's gradient vanish when D is too strong? Lesson 01 computed what each objective does there.

# %% slide="Under a fast D, G's gradient does not vanish"
def signs(name):
    """What the symptoms are judged by."""
    gan, log, halfway = lived[name]
    end = {column: np.nanmean(values[-(len(values) // 5) :]) for column, values in log.items()}
    tenths = {column: [part.mean() for part in np.array_split(log[column], 10)] for column in ("loss_d", "loss_g")}
    gradients = gan.history.measured("grad_g")[1]
    return {
        **end,
        "loss_g's way": (log["loss_g"][0], min(tenths["loss_g"])),  # at the first step, in its lowest tenth
        "loss_d's way": (log["loss_d"][0], max(tenths["loss_d"])),  # at the first step, in its highest tenth
        "swing": log["loss_g"][-(len(log["loss_g"]) // 2) :].std(),
        "grad_g": gradients[len(gradients) // 2 :].mean(),
        "halfway": seen(halfway)["distance"],
        **{column: value for column, value in seen(made[name]).items() if column != "spread"},
    }


well, fast_d, fast_g, fallen = (signs(name) for name in lived)


def pair(sick, column, digits=2):
    return f"{sick[column]:.{digits}f} (healthy {well[column]:.{digits}f})"


(g_first, g_lowest), (d_first, d_highest) = fast_g["loss_g's way"], fast_g["loss_d's way"]
symptoms = [
    ("D too fast", "", None),
    ("D's loss falls close to 0", pair(fast_d, "loss_d"), fast_d["loss_d"] < 0.1 * 2 * math.log(2)),
    ("D is right nearly always", pair(fast_d, "right"), fast_d["right"] > 0.95),
    ("G's loss stays high", pair(fast_d, "loss_g"), fast_d["loss_g"] > 2 * well["loss_g"]),
    ("or swings wildly (std)", pair(fast_d, "swing"), fast_d["swing"] > 2 * well["swing"]),
    ("G's gradient vanishes (norm)", pair(fast_d, "grad_g", 1), fast_d["grad_g"] < 0.1 * well["grad_g"]),
    ("the pictures are poor (distance)", pair(fast_d, "distance", 0), fast_d["distance"] > 1.5 * well["distance"]),
    ("modes are lost (kinds of digits)", pair(fast_d, "kinds", 1), fast_d["kinds"] < 0.5 * well["kinds"]),
    ("G too fast", "", None),
    (
        "G's loss falls fast",
        f"first {g_first:.2f}, lowest {g_lowest:.2f}, end {fast_g['loss_g']:.2f}",
        g_lowest < 0.8 * g_first,
    ),
    (
        "while D's rises",
        f"first {d_first:.2f}, highest {d_highest:.2f}, end {fast_g['loss_d']:.2f}",
        d_highest > 1.2 * d_first,
    ),
    ("D cannot tell (right)", pair(fast_g, "right"), fast_g["right"] < 0.6),
    (
        "plausible pictures (judge's sureness)",
        f"{fast_g['sure']:.2f} (real {real_sure:.2f})",
        fast_g["sure"] > 0.9 * real_sure,
    ),
    ("wrong in detail (distance)", pair(fast_g, "distance", 0), fast_g["distance"] > 1.5 * well["distance"]),
    (
        "quality stops rising (distance)",
        f"halfway {fast_g['halfway']:.0f} → {fast_g['distance']:.0f}",
        fast_g["distance"] > 0.95 * fast_g["halfway"],
    ),
    ("Collapse", "", None),
    ("the same picture again (spread)", pair(fallen, "spread"), fallen["spread"] < 0.5 * well["spread"]),
    ("few kinds of digits", pair(fallen, "kinds", 1), fallen["kinds"] < 0.5 * well["kinds"]),
    ("D is right nearly always", pair(fallen, "right"), fallen["right"] > 0.95),
]
so = {None: "", True: "yes", False: "no"}
rows = [("said", "measured", "so" if readable else "so? too short to tell")]
rows += [(what, numbers, so[found] if readable else "–" * (found is not None)) for what, numbers, found in symptoms]
print(terminal.aligned(rows))
confirmed = sum(bool(found) for *_, found in symptoms)
ratio = fast_d["grad_g"] / well["grad_g"]
print(f"\nG's gradient under the fast D is {ratio:.2g} times that of the healthy run")

# %% [markdown]
# Read it line by line, and only as far as the last column allows; a symptom may also be there for a while and go again. (*First* is the first step, *lowest* and *highest* are means of a tenth of the run.) What can be said at every length is what lesson 01 derived for the gradient: G minimises −log σ(l), whose slope by the logit, σ(l) − 1, goes to **−1**, not to 0, where D is sure of a fake. What *vanishes* under a strong D is the gradient of the original, saturating loss. On its way from the logit to G's weights the gradient is multiplied by D's slope, and section 5 measures how steep these D's are. The number under the table says what came of it here. "G cannot learn because its gradient vanishes" and "G cannot learn because it is thrown about" ask for different remedies.
#
# Three lines deserve a second look. *D cannot tell*: a D that only guesses is right on half of the pictures; one that is right on far fewer can tell, the wrong way round. For the other two look at the grids above. *Plausible*: a judge that has seen nothing but digits must call every picture one of ten, and may be quite sure of a smear; so its sureness is no proof that pictures look like something. *Modes are lost*: it may call pictures by one and the same name that differ from each other, so hold the kinds against the spread. No single number is the quality of pictures.
#
# All this is one seed. Whether a symptom belongs to an illness, only several seeds can say: `python -m gan_course study d-too-fast` trains the untreated recipe, the healthy one and every remedy over five, and prints the table (it took twenty minutes of one core, and goes on where it was interrupted); section 8 shows what it says.
#
# ## 4 · An objective with another slope: hinge
#
# Cross-entropy never lets D rest: however right a verdict is, a larger logit has a smaller loss. The **hinge** loss (Lim and Ye 2017) does. D's output *l* is a plain score; a real picture is safe from +1 up, a generated one from −1 down, and what is safe costs nothing:
#
# $$L_D = \operatorname{E}\,\max(0,\ 1 - D(x)) + \operatorname{E}\,\max(0,\ 1 + D(G(z))), \qquad L_G = -\operatorname{E}\,D(G(z)).$$
#
# Compare the pushes. By the score of one real picture, D's loss has the slope −1 below 1 and **0** above; cross-entropy has σ(l) − 1, which is never 0. By the score of one generated picture G's loss has the slope −1, everywhere; the non-saturating loss has σ(l) − 1, which fades once D is fooled.

# %% slide="Hinge lets D rest where a picture is safe; cross-entropy never does"
score = torch.linspace(-4, 4, 200)
figure, axes = show.new_figure(9, 3.2, ncols=2, sharey=True)
for axis, hinge, title in (
    (axes[0], (score < 1).float(), "D, on a real picture"),
    (axes[1], torch.ones(200), "G, on one of its own"),
):
    axis.plot(score, 1 - torch.sigmoid(score), color=show.PINK, label="cross-entropy")
    axis.plot(score, hinge, color=show.GREEN, label="hinge")
    axis.set(title=title, xlabel="D's output l", ylim=(-0.1, 1.3))
axes[0].set_ylabel("push upwards")
axes[1].legend(loc="lower left")
show.figure(
    figure,
    "Push on the score of one picture. D on a real one: cross-entropy falls smoothly from 1 to 0; hinge is 1 up to "
    "the score 1 and 0 beyond it. G on its own picture: cross-entropy the same curve, hinge 1 everywhere.",
)

# %% [markdown]
# ### Exercise 6.2 · Hinge
# Difficulty ●○○○○ · 10 minutes · why it matters: two lines, and every one of their mistakes still trains.
#
# Write both losses, on outputs of D [N], as means over the batch.
#
# <details><summary>Hint 1</summary>
#
# The maximum belongs to each picture; the mean comes after it. G's loss has no maximum: why would it want to stop?
#
# </details>
# <details><summary>Hint 2</summary>
#
# `F.relu(t)` is max(0, t), number by number.
#
# </details>

# %%
def hinge_d(real_logits, fake_logits):
    """D's hinge loss."""
    # solution
    return F.relu(1 - real_logits).mean() + F.relu(1 + fake_logits).mean()
    # end solution


def hinge_g(fake_logits):
    """G's side of it."""
    # solution
    return -fake_logits.mean()
    # end solution


# %%
lesson_06.exercise_2(hinge_d, hinge_g)

# %% [markdown]
# How many pictures would your hinge still teach D with? Ask the D of each live run: the share of a batch, half of it real, that is not safe yet. (Its outputs were trained by cross-entropy, so this is a what-if.)

# %%
x = data.to_signed(digits.images[:500])
for name, (gan, *_) in lived.items():
    with torch.no_grad():
        real_scores, fake_scores = gan.D(x), gan.D(gan.G(gan.latents(500)))
    unsafe = ((real_scores < 1).float().mean() + (fake_scores > -1).float().mean()).item() / 2
    loss = float(torch.as_tensor(hinge_d(real_scores, fake_scores)))
    print(f"{name:10s} {unsafe:5.0%} of the pictures would count; the hinge loss would be {loss:.2f}")

# %% [markdown]
# What is safe does not count, so a D that has won learns from the few pictures, if any, that it is not sure of. But a bound on what D *wants* is not yet a bound on how *steep* it is. The next two sections are about that.
#
# ---
#
# **The first sitting ends here.**

# %% [markdown] slide="The Wasserstein game wants a slope of 1 along the way"
# ## 5 · Why charge D for its slope?
#
# Suppose D need not be a judge at all. Arjovsky, Chintala and Bottou (2017) measure how far G is from the data by the **Wasserstein distance** W: the least mean way that the generated mass has to be carried to lie as the real one does. Two heaps of points at distance 3 have W = 3, and unlike the divergence of lesson 01 it says so however far apart they are. A theorem (Kantorovich and Rubinstein) turns W into a game:
#
# $$W(p, q) = \max_{D}\ \operatorname{E}_{x \sim p} D(x) - \operatorname{E}_{z} D(G(z)) \quad \text{over all } D \text{ with } |D(a) - D(b)| \le |a - b| \text{ for all } a, b.$$
#
# 1. Why the condition? Without it there is no largest value: 2D has twice the value of D. The condition, D is *1-Lipschitz*, says that D's slope is nowhere above 1, $\|\nabla_y D(y)\| \le 1$, where the slope is taken by all of a picture's numbers together.
# 2. How to keep it? Clipping D's weights, as the paper did, bounds the slope somehow, and mostly far below or above 1.
# 3. Gulrajani and others (2017) ask what the *best* D looks like. Carry the mass of G(z) to x along a straight line in the cheapest way. Over that line D must gain the whole of its length, |x − G(z)|, or the maximum would not be reached; and it may not gain more. So its slope is **exactly 1** all along the line (their proposition 1).
# 4. So charge D for other slopes, at points where they matter. Which line belongs to which pair nobody knows; they take random pairs, and on each a random point: $y = α\,x + (1 - α)\,G(z)$ with α **uniform** in 0 … 1, **one a picture**. One α a pixel would not lie on the line; a normal one would lie beyond its ends two times in three.
# 5. The charge for one picture is $(\|\nabla_y D(y)\| - 1)^2$, with the norm over **all pixels of all channels**: it is the length of one vector, the direction in which D rises fastest. Then the mean over the pictures. With λ = 10, as in all their experiments:
#
# $$L_D = \operatorname{E} D(G(z)) - \operatorname{E} D(x) + λ\,\operatorname{E}\left(\|\nabla_y D(y)\| - 1\right)^2, \qquad λ = 10.$$
#
# 6. The charge is on each picture's own slope. With **BatchNorm** in D there is no such thing, because one picture's output depends on the whole batch. **Predict** the numbers: eight digits go through D. How many of them move the output of the *first* one?

# %% slide="With BatchNorm in D, every picture moves the first one's output"
# NBVAL_CHECK_OUTPUT
for norm in ("batch", "layer", "none"):
    _, D = recipes.get("quick-digits").but(d_norm=norm).build()
    eight = data.to_signed(digits.images[:8]).cpu().requires_grad_()
    (by_pixel,) = torch.autograd.grad(D(eight)[0], eight)
    movers = int((by_pixel.flatten(1).norm(dim=1) > 0).sum())
    print(f"d_norm {norm:5s}: {movers} of 8 pictures move the first one's output")

# %% [markdown]
# `layer` normalises over one picture's own channels and pixels, and is what the paper recommends in BatchNorm's place.
#
# To *learn* from a penalty on a gradient, the gradient has to be differentiated once more, by D's weights. `torch.autograd.grad(outputs, inputs, create_graph=True)` returns it with its history. Without that, the penalty is a number from which nothing follows.
#
# ### Exercise 6.3 · The gradient penalty
# Difficulty ●●●○○ · 25 minutes · why it matters: half a dozen published versions of these few lines are wrong, and none of them stops with an error.
#
# Write $\operatorname{E}(\|\nabla_y D(y)\| - 1)^2$ without its λ. Draw α with the generator that is handed in; α = 1 is the real picture. The penalty is D's to pay: nothing of it may reach G.
#
# <details><summary>Hint 1</summary>
#
# Which shape has α, so that a batch [N, C, H, W] is mixed with one number a picture? What must happen to `fake` before?
#
# </details>
# <details><summary>Hint 2</summary>
#
# `torch.rand(len(real), 1, 1, 1, generator=generator, device=real.device)`. Then `y.requires_grad_()`, and the gradient of `D(y).sum()` by y: one pass for the whole batch, since no picture's output depends on another picture.
#
# </details>
# <details><summary>Hint 3</summary>
#
# `torch.autograd.grad` returns a tuple. `g.flatten(1).norm(dim=1)` is one slope a picture.
#
# </details>

# %%
def gradient_penalty(D, real, fake, generator):
    """Mean of (slope - 1)² at one random point between each real and each generated picture."""
    # solution
    alpha = torch.rand(len(real), 1, 1, 1, generator=generator, device=real.device)
    y = (alpha * real + (1 - alpha) * fake.detach()).requires_grad_()
    (g,) = torch.autograd.grad(D(y).sum(), y, create_graph=True)
    return (g.flatten(1).norm(dim=1) - 1).square().mean()
    # end solution


# %%
lesson_06.exercise_3(gradient_penalty)

# %% [markdown]
# Try it where everything is known. Real "pictures" of one pixel lie at 3, generated ones at 0, so W = 3. Let D be a line, D(y) = ψy. Its loss is −3ψ + λ(ψ − 1)², lowest at ψ = 1 + 3/(2λ): a penalty, unlike a bound, gives way a little where it is pulled. **Predict** what D's estimate of W is for λ = 10.

# %% slide="A penalty, unlike a bound, gives way where it is pulled"
# NBVAL_CHECK_OUTPUT
there, origin = torch.full((64, 1, 1, 1), 3.0), torch.zeros(64, 1, 1, 1)
for weight in (1.0, 10.0, 100.0):
    psi = torch.tensor(0.1, requires_grad=True)

    def line(y, psi=psi):
        return psi * y.flatten()

    for _ in range(300):
        charge = gradient_penalty(line, there, origin, torch.Generator().manual_seed(SEED))
        loss = losses.d_wasserstein(line(there), line(origin)) + weight * charge
        (by_psi,) = torch.autograd.grad(loss, psi)
        psi.data -= 0.2 / weight * by_psi
    estimate = 3 * psi.item()
    print(f"λ = {weight:3.0f}: slope {psi.item():.3f}, predicted {1 + 3 / (2 * weight):.3f}; W is 3, estimated {estimate:.3f}")

# %% [markdown]
# And how steep are the live D's, whom nobody has charged? The slope at random points between digits and their own G's pictures. (BatchNorm with its running statistics here, so that each picture has a slope of its own.)

# %%
slopes = {}
for name, (gan, *_) in lived.items():
    with torch.no_grad():
        fakes = gan.G(gan.latents(200))
    alpha = torch.rand(200, 1, 1, 1, generator=torch.Generator().manual_seed(SEED)).to(device)
    with sampling.evaluating(gan.D):
        found = losses.slopes(gan.D, torch.lerp(fakes, x[:200], alpha)).detach().norm(dim=1)
    slopes[name] = found.mean().item()
    print(f"{name:10s} D's slope {slopes[name]:6.2f} on average, {found.min():.2f} to {found.max():.2f}")

# %% [markdown]
# None of them was asked to be 1, and cross-entropy is no estimate of W; a slope is here simply what multiplies G's gradient on its way from D's output to the pixels.
#
# ## 6 · R1: a slope of 0 at the data
#
# Where does the game end? When G makes the data, there is nothing to tell apart, and the best D is flat, its slope 0. A penalty that wants the slope 1 keeps pushing D away from exactly that. **R1** (Mescheder, Geiger and Nowozin 2018, equation 9) charges the slope at the real pictures, and centres at 0:
#
# $$R_1 = \frac{γ}{2}\,\operatorname{E}_{x \sim p}\,\|\nabla_x D(x)\|^2.$$
#
# ### Exercise 6.4 · R1
# Difficulty ●●○○○ · 15 minutes · why it matters: it is the penalty of most GANs of the last years, and three lines long.
#
# Write $\tfrac{1}{2}\operatorname{E}\|\nabla_x D(x)\|^2$ at the real pictures, without γ. It is the slope of D's *output*, whatever loss D is trained with.
#
# <details><summary>Hint 1</summary>
#
# Three things are simpler than in 6.3: the points, the norm (squared, so no root), and the centre. What stays?
#
# </details>
# <details><summary>Hint 2</summary>
#
# `x = real.detach().requires_grad_()` asks for a gradient without touching what you were given.
#
# </details>

# %%
def r1(D, real):
    """Half the mean squared norm of D's slope at real pictures."""
    # solution
    x = real.detach().requires_grad_()
    (g,) = torch.autograd.grad(D(x).sum(), x, create_graph=True)
    return g.flatten(1).square().sum(1).mean() / 2
    # end solution


# %%
lesson_06.exercise_4(r1)

# %% [markdown]
# ### What it does near the solution
#
# Back to the Dirac-GAN of lesson 01: the data at 0, all fakes at θ, D(x) = ψx with cross-entropy. D's slope is ψ everywhere, so R1 is γψ²/2, with gradient γψ. With σ ≈ ½ near the solution, both players' descent reads
#
# $$\dot θ = \tfrac12 ψ, \qquad \dot ψ = -\tfrac12 θ - γψ, \qquad J = \begin{pmatrix} 0 & ½ \\ -½ & -γ \end{pmatrix}.$$
#
# Its eigenvalues solve λ² − trace · λ + determinant = λ² + γλ + ¼ = 0:
#
# $$λ = -\frac{γ}{2} \pm \sqrt{\frac{γ^2}{4} - \frac14}.$$
#
# (Misprints of this root circulate, with γ for γ². You can tell by its border: the root is 0 at γ = **1**, where rotation ends.) Below 1 the pair is complex: the game still turns, and decays at the rate γ/2. Above 1 both are real, and the slower one, $-\frac{γ}{2} + \sqrt{\frac{γ^2}{4} - \frac14}$, comes *back* to 0 as γ grows: a D that pays too much for any slope cannot tell G where to go. **Predict** the rates at γ = 0.5, 1 and 4, then compare with the game itself: short steps from near the solution, and the matrix that best takes each point to the next, as in lesson 01.


# %% slide="Rotation ends at γ = 1; a stronger penalty settles more slowly"
# NBVAL_CHECK_OUTPUT
def fitted(path):
    """The 2 × 2 matrix M that best satisfies path[k + 1] = M path[k]."""
    return torch.linalg.lstsq(path[:-1], path[1:]).solution.T


h = 0.01
for gamma in (0.0, 0.5, 1.0, 2.0, 4.0):
    root = complex(gamma**2 / 4 - 1 / 4) ** 0.5
    slower = -gamma / 2 + root
    path = toy.dirac_run(h, 400, alternating=False, penalty=gamma, start=(1e-6, 0.0))
    found = (torch.linalg.eigvals(fitted(path)) - 1) / h  # the step is I + hJ
    decay = found.real.max().item()
    turning = found.imag.abs().max().item()
    print(
        f"γ = {gamma:3.1f}: decay {abs(slower.real):.2f} predicted, {abs(decay):.2f} measured; "
        f"rotation {abs(root.imag):.2f} predicted, {turning:.2f} measured"
    )

# %% [markdown]
# ### One-centred against zero-centred
#
# Now charge $\frac{γ}{2}(|ψ| - 1)^2$ instead, the gradient penalty's centre on the same game. At the solution, θ = 0 and ψ = 0, its gradient is not 0: it pushes ψ towards 1 or −1 with the force γ, and a D with slope 1 sends G away from the data. **Predict:** where does it end?


# %% slide="Centred at 1, the game never comes to rest; centred at 0, it does"
def dirac_one_centred(rate, steps, gamma, start=(1.0, 0.1)):
    """As `toy.dirac_run` with alternating steps, and a penalty of gamma/2 (|psi| - 1)² on D."""
    theta, psi = start
    path = [(theta, psi)]
    for _ in range(steps):
        _, by_psi = toy.dirac_gradients(theta, psi)
        psi -= rate * (by_psi + gamma * (abs(psi) - 1) * math.copysign(1, psi))
        by_theta, _ = toy.dirac_gradients(theta, psi)
        theta -= rate * by_theta
        path.append((theta, psi))
    return torch.tensor(path, dtype=torch.float64)


steps = 1_000
paths = {
    "no penalty": toy.dirac_run(0.1, steps, True, 0.0, start=(1.0, 0.1)),
    "centred at 1": dirac_one_centred(0.1, steps, 0.5),
    "centred at 0 (R1)": toy.dirac_run(0.1, steps, True, 0.5, start=(1.0, 0.1)),
}
figure, axes = show.new_figure(9, 3.2)
far = {}
for (name, path), colour in zip(paths.items(), (show.GREY, show.RED, show.GREEN)):
    axes.plot(path[:400, 0].abs(), color=colour, label=name)
    far[name] = path[-200:, 0].abs().max().item()
    print(f"{name:18s} largest |θ| in the last 200 of {steps} steps: {far[name]:.2g}")
assert far["centred at 0 (R1)"] < 1e-6 < 0.1 < far["centred at 1"]
axes.set(xlabel="step", ylabel="|θ|, how far G is off", ylim=(0, 1.9))
axes.legend(loc="upper right", ncols=3)
show.figure(
    figure,
    "Distance of G from the data over 400 steps of the Dirac-GAN with γ = 0.5: without a penalty and with one centred "
    "at 1 it goes on and on between 0 and about its largest; with R1 it shrinks to 0.",
)

# %% [markdown]
# The penalty centred at 1 never lets the game come to rest; R1 does. That is a statement about this game near its solution. In pictures G never gets there, and both penalties have trained good generators.
#
# ### Exercise 6.5 · How fast does it settle?
# Difficulty ●●●○○ · 20 minutes · why it matters: a prediction of a number, before the run, is what a theory is for.
#
# Training takes *steps*, D first, then G against the new D. In lesson 01 you wrote the matrix of one such step:
#
# $$\begin{pmatrix}1 & h/2\\ 0 & 1\end{pmatrix}\begin{pmatrix}1 & 0\\ -h/2 & 1 - hγ\end{pmatrix}.$$
#
# Work out its trace and its determinant on paper. Then write by what factor a step multiplies the distance from the solution in the long run: the larger of the moduli of its two eigenvalues, as a function of the rate h and of γ.
#
# <details><summary>Hint 1</summary>
#
# The determinant of a product is the product of the determinants. Each of these two is triangular.
#
# </details>
# <details><summary>Hint 2</summary>
#
# Determinant 1 − hγ, trace 2 − h²/4 − hγ. The eigenvalues are (trace ± √(trace² − 4 · determinant)) / 2; where the root is of a negative number, both have the modulus √determinant.
#
# </details>
# <details><summary>Hint 3</summary>
#
# `complex(t) ** 0.5` takes the root of any number, and `abs` the modulus.
#
# </details>

# %%
def contraction(rate, gamma):
    """Modulus of the larger eigenvalue of one alternating step near the solution."""
    # solution
    determinant, trace = 1 - rate * gamma, 2 - rate**2 / 4 - rate * gamma
    root = complex(trace**2 - 4 * determinant) ** 0.5
    return max(abs(trace + root), abs(trace - root)) / 2
    # end solution


# %%
lesson_06.exercise_5(contraction)

# %% [markdown]
# Your curve, and the game itself at a few values of γ. Where is the best one, and is it where the rotation ends?

# %%
figure, axes = show.new_figure(8, 3.4)
best, worst_error = {}, 0.0
gammas = torch.linspace(0.02, 3, 150).tolist()
for rate, colour in ((0.2, show.BLUE), (0.5, show.RED)):
    predicted = [float(contraction(rate, gamma)) for gamma in gammas]
    best[rate] = gammas[int(np.argmin(predicted))]
    axes.plot(gammas, predicted, color=colour, label=f"h = {rate}, predicted")
    for gamma in (0.2, 0.5, 0.8, 1.3, 2.0, 2.8):
        path = toy.dirac_run(rate, 30, True, gamma, start=(1e-6, 0.0))
        measured = torch.linalg.eigvals(fitted(path)).abs().max().item()
        worst_error = max(worst_error, abs(measured - float(contraction(rate, gamma))))
        axes.plot(gamma, measured, "o", color=colour, ms=6)
axes.set(xlabel="γ", ylabel="factor a step")
axes.legend(loc="lower right")
print(f"largest difference between prediction (lines) and game (dots): {worst_error:.1e}")
print(", ".join(f"h = {rate}: best γ {gamma:.2f}, and 1 − h/4 = {1 - rate / 4:.2f}" for rate, gamma in best.items()))
assert worst_error < 1e-3
show.figure(
    figure,
    "Factor by which a step multiplies the distance from the solution, over γ, for two rates: it falls from 1 to a "
    "minimum just below γ = 1 and rises again towards 1. The measured dots lie on the curves.",
)

# %% [markdown]
# The step's own border is where trace² = 4 · determinant, at γ = 1 − h/4; there the rotation ends and the game settles fastest. A weaker penalty lets it circle, a stronger one makes it creep. The values mean nothing for digits, whose D is no line; that there is a *too much* does.
#
# ## 7 · One remedy, chosen before it is seen
#
# The table of studies holds the remedies that the course's sources name, as changes of a recipe:

# %%
for name, changes in REMEDIES.items():
    print(f"{name:32s} {changes}")
for illness, changes in SLOWER.items():
    print(f"{illness}: " + "; ".join(f"{name} {change}" for name, change in changes.items()))

# %% [markdown]
# Look at those with a penalty: each of them changes `d_norm`, too. Section 5 says why. Forget it, and the package refuses:

# %%
# NBVAL_CHECK_OUTPUT
try:
    GAN(sound_recipe.but(penalty="r1"))
except CourseError as error:
    print(error)

# %% [markdown]
# Choose an illness and one remedy, and **write down whether it will help before you run it**. Measure of success: a smaller Fréchet distance than that of the untreated run of the same seed.

# %%
illness, remedy, my_guess = "d-too-fast", "a quarter of D's rate", "helps"  # change all three

treatment = {**SLOWER[illness], **REMEDIES}[remedy]
treated_gan, treated_log, _ = live_run({**ILLNESSES[illness], **treatment})
treated = sampling.sample(treated_gan.average, 2_000, seed=1)

# %%
compared = {"untreated": made[illness], remedy: treated, "healthy": made["healthy"]}
rows = [("run", "distance", "sure", "kinds", "spread")]
found = {name: seen(images) for name, images in compared.items()}
for name, numbers in found.items():
    rows.append((name, f"{numbers['distance']:.0f}", *(f"{numbers[c]:.2f}" for c in ("sure", "kinds", "spread"))))
print(terminal.aligned(rows, numbers=True))
change = found[remedy]["distance"] / found["untreated"]["distance"] - 1
print(
    f"you said: {my_guess}; with this seed, after {treated_gan.images:,} images, the distance changed by {change:+.0%};\n"
    f"the log now reads: {diagnose(treated_log)}"
)
show.beside(
    {name: images[:36] for name, images in compared.items()},
    f"36 pictures each of the untreated run, of the one treated with {remedy}, and of the healthy one.",
)

# %% [markdown]
# **One seed is an anecdote.** If your guess was right, you may have been lucky; if it was wrong, the seed may be odd. What a remedy is worth shows in the difference, seed by seed, over several: `python -m gan_course study d-too-fast` (or `g-too-fast`, `collapse`) makes that table, with every remedy, medians, ranges and intervals. It goes on where it was interrupted; `--seeds 2` makes a smaller one.
#
# ### Exercise 6.6 · Prescribe
# Difficulty ●●○○○ · 15 minutes · why it matters: "try this trick" is not a prescription; a changed recipe is.
#
# For each of the three illnesses, return the changes of the sick recipe, a dictionary of fields and values, that aim at its cause. Rules of this exercise:
#
# - one idea; to set everything back to the healthy recipe is another patient, not a cure;
# - against an imbalance, make the lead of the fast one at most half of what it is (rates, `d_every`, `g_every`, `d_width`, or G frozen for a while by `g_rests`). Against a fast D, a bound on its slope counts as well: a penalty, or spectral norm;
# - against collapse, smaller steps (a rate at most half of what it is) or a shorter memory of Adam (`betas`, the first at most 0.5), D looking at the whole batch (`minibatch_std`), or a bound on D's slope.
#
# The check reads your prescription. Whether it *works* it cannot know.
#
# <details><summary>Hint 1</summary>
#
# Who leads in each of the two imbalances? `ILLNESSES` has the rates.
#
# </details>
# <details><summary>Hint 2</summary>
#
# `{"penalty": "r1"}` alone is refused; you have met the sentence that says what is missing.
#
# </details>

# %%
def prescribe(illness):
    """Changes of the recipe that is ill with 'd-too-fast', 'g-too-fast' or 'collapse'."""
    # solution
    return {
        "d-too-fast": {"penalty": "r1", "d_norm": "none"},
        "g-too-fast": {"g_every": 4},
        "collapse": {"betas": (0.5, 0.999)},
    }[illness]
    # end solution


# %%
lesson_06.exercise_6(prescribe)

# %%
prescribed_gan, prescribed_log, _ = live_run({**ILLNESSES["g-too-fast"], **prescribe("g-too-fast")})
prescribed = seen(sampling.sample(prescribed_gan.average, 2_000, seed=1))
for name, numbers in (("untreated", fast_g), ("your prescription", prescribed)):
    print(f"G too fast, {name}: distance {numbers['distance']:.0f}, kinds {numbers['kinds']:.1f}")
print(f"the log now reads: {diagnose(prescribed_log)}")

# %% [markdown]
# ---
#
# **The second sitting ends here.**

# %% [markdown]
# ## 8 · Every remedy, on every illness
#
# Here is the table of several seeds: three illnesses, fourteen remedies, five seeds, and for each seed the untreated and the healthy run beside them. The runs have half of the live runs' width and see 24,000 digits, so that all of them fit into an hour or two of one core. What the judge measured stands in files of the course; this lesson reads them, and the commands above make them anew.
#
# First: were they ill, and which of the symptoms that the notes name did they show? A run counts as **ill** where its distance is more than twice that of the healthy run of the same seed.

# %%
from gan_course import studies

results = {illness: studies.read(studies.get(illness), studies.published(studies.get(illness))) for illness in ILLNESSES}
measured_by = {illness: {(run.arm, run.seed): run.measured for run in runs_of} for illness, runs_of in results.items()}
SYMPTOMS = {  # a condition on (an untreated run, the healthy run of its seed)
    "ill: distance more than twice the healthy one": lambda sick, well: sick["distance"] > 2 * well["distance"],
    "D's loss below a tenth of a blind D's": lambda sick, well: sick["loss_d"] < 0.1 * 2 * math.log(2),
    "D right on more than 95 %": lambda sick, well: sick["right"] > 0.95,
    "D right on less than 60 %": lambda sick, well: sick["right"] < 0.6,
    "G's loss more than twice the healthy one": lambda sick, well: sick["loss_g"] > 2 * well["loss_g"],
    "G's loss less than the healthy one": lambda sick, well: sick["loss_g"] < well["loss_g"],
    "G's gradient below a tenth of the healthy one": lambda sick, well: sick["grad_g"] < 0.1 * well["grad_g"],
    "G's gradient above the healthy one": lambda sick, well: sick["grad_g"] > well["grad_g"],
    "three digits or more missing": lambda sick, well: sick["missing"] >= 3,
    "variety below 0.77": lambda sick, well: sick["variety"] < 0.77,
}
rows = [("in how many of the untreated runs", *ILLNESSES)]
for symptom, shows in SYMPTOMS.items():
    counted = []
    for by_run in measured_by.values():
        seeds = sorted(seed for arm, seed in by_run if arm == "untreated" and ("healthy", seed) in by_run)
        yes = sum(bool(shows(by_run["untreated", seed], by_run["healthy", seed])) for seed in seeds)
        counted.append(f"{yes} of {len(seeds)}")
    rows.append((symptom, *counted))
print(terminal.aligned(rows, numbers=True))
every = [run for runs_of in results.values() for run in runs_of]
hours = sum(run.evidence["seconds"] for run in every) / 3600
print(f"\n{len(every)} runs, {hours:.1f} hours of one core, {', '.join(sorted({run.evidence['processor'] for run in every}))}")

# %% [markdown]
# (Losses, verdicts and gradients are means over the last tenth of a run.) Now the remedies. The difference to the untreated run is taken seed by seed; a remedy **helps** where the 95 % interval of that difference lies below 0, and **harms** where it lies above.
#
# **Predict:** which remedy helps against all three? And which of the famous ones does nothing here?

# %%
def effects(illness):
    """remedy -> (distances by seed, mean difference to the untreated runs, its interval, what that says)."""
    by_arm, found = studies.by_arm(results[illness], "distance"), {}
    for arm in studies.get(illness).arms:
        if arm not in ("untreated", "healthy"):
            mean, low, high = studies.difference(by_arm[arm], by_arm["untreated"])
            says = "helps" if high < 0 else "harms" if low > 0 else "no clear effect"
            found[arm] = list(by_arm[arm].values()), mean, low, high, says
    return found


effect = {illness: effects(illness) for illness in ILLNESSES}
for name, by_remedy in effect.items():
    by_arm = studies.by_arm(results[name], "distance")
    untreated, sound = (np.median(list(by_arm[arm].values())) for arm in ("untreated", "healthy"))
    rows = [(name, "median", "minus untreated", "95 % interval", "")]
    for arm, (values, mean, low, high, says) in sorted(by_remedy.items(), key=lambda item: item[1][1]):
        rows.append((arm, f"{np.median(values):.0f}", f"{mean:+.0f}", f"{low:+.0f} to {high:+.0f}", says))
    print(terminal.aligned(rows, numbers=True), f"\nuntreated {untreated:.0f}, healthy {sound:.0f}\n")

# %% slide="R1 and the relativistic pair help against all three, and heal none"
names = ["its own: a smaller rate", "its own: steps, or beta", *REMEDIES]  # see the table
figure, axes = show.new_figure(9, 3.8, ncols=3, sharex=True, sharey=True)
for axis, (name, by_remedy) in zip(axes, effect.items()):
    by_arm = studies.by_arm(results[name], "distance")
    for arm, colour in (("untreated", show.GREY), ("healthy", show.GREEN)):
        axis.axvspan(min(by_arm[arm].values()), max(by_arm[arm].values()), color=colour, alpha=0.2, lw=0)
    for place, (values, _, _, _, says) in enumerate(by_remedy.values()):
        colour = {"helps": show.GREEN, "harms": show.RED}.get(says, show.GREY)
        axis.plot(values, [place] * len(values), "o", color=colour, ms=5, alpha=0.8)
    axis.set(title=name, xlabel="Fréchet distance", xscale="log")
    axis.set_xticks([20, 100], ["20", "100"])
    axis.minorticks_off()
axes[0].set_yticks(range(len(names)), names)
axes[0].invert_yaxis()
said = "; ".join(
    f"{illness}: " + ", ".join(f"{arm} {says} ({mean:+.0f})" for arm, (_, mean, _, _, says) in found.items())
    for illness, found in effect.items()
)
show.figure(
    figure,
    "Distance after each remedy, a dot a seed, for the three illnesses; grey band untreated runs, green band healthy "
    f"ones; green dots: helps, red: harms. {said}.",
)

# %% [markdown]
# Read it by columns first.
#
# - **R1 helps against all three, and so does the relativistic pair with R1 and R2; they heal none.** What comes nearest to healing is another remedy for each illness, and may do nothing for the next one. So the diagnosis comes first.
# - **Against the fast D** those help most that should make its verdict *flatter* (its slope was not measured here): noise on the images, a smaller rate, R1, the relativistic pair with R1 and R2. None of them brings the digits back in this time. And G's gradient under the fast D was *larger* than the healthy one in every seed: the vanishing that the notes fear is not there.
# - **Against the fast G** it is another story, and one of the notes' three remedies shines: what they call a perceptual loss. Without a picture to compare with it can only mean **feature matching** (Salimans et al. 2016): G's pictures should agree with real ones in the *mean of D's features* over the batch. A G that runs after D's verdict can end at one picture that D happens to like; one that runs after a mean over many pictures is not rewarded for that. The other two, a wider D and G frozen for a while, help a little or hardly at all.
# - Slowing the fast one by a factor of four has two forms, and they are not equal. G at every fourth step beats a quarter of G's rate by far; for D it is the other way round. Why? This table does not say. (In steps of Adam, a rate is how far one goes, and a rest is time for the other one.)
# - **Collapse** came from Adam's memory, and goes with it: with the first beta back at 0.5 and the *same* high rates these runs end better than the healthy recipe does. The obvious remedy, smaller rates, leaves them worse than untreated. Feature matching, R1 and the relativistic pair help, too.
# - **Minibatch deviation** should give variety. Does it? `python -m gan_course study g-too-fast --read --measure variety` says that it does, and the table above that the pictures hardly become better by it. A remedy can do exactly what it promises and not heal.
#
# And two warnings about such tables. Here are 42 intervals; where a remedy does nothing, one in twenty of them leaves out 0 all the same: a label or two may be luck, first of all where the effect is small. (The intervals are Student's; lesson 07 derives them.) And an interval that leaves out 0 does not make a difference *matter*: where the untreated runs stand above 110, nobody could see three more or less, though five seeds may agree on it. Ask how large before you ask how sure. Nor does the table know your pictures: it is digits, half of the live runs' width, 750 steps.

# %% [markdown]
# ## 9 · The ward
#
# So far you knew what each run suffered from, because you had made it ill yourself. In the ward you do not. Its patients were recorded while they were trained: digits and clothes, from different seeds. Some are healthy and merely look odd; some are ill; in some the settings are fine and the code has a bug.
#
# For each of them you see 25 pictures by the averaged G, both losses, D's mean scores, and the share of images on which D is right. Move the time: *when* something goes wrong often says more than that it does. Then choose a diagnosis, commit to it, and only then be told. The truth comes with its reason and with the cured run of the same seed.
#
# | diagnosis | what the word means here |
# |---|---|
# | healthy | the game is open and the pictures become better; also a run that has only just begun |
# | D too fast | D is right on more than nine pictures in ten to the end, and G's pictures do not become good |
# | G too fast | D is right on fewer than half of the pictures, and scores G's above the real ones |
# | collapse | the log shows an even game, and the pictures are all nearly the same |
# | a bug in the code | the settings would do: something in the log or in the pictures cannot come from a wrong rate |
#
# Three questions to ask of each patient, in this order. **Which loss is it?** A Wasserstein loss is any number, and smoothed labels have a floor of 0.65. **Who leads, and from when on?** **What do the pictures do meanwhile?** A bug is what is left when log and pictures contradict each other.
#
# Everybody with the same seed sees the cases in the same order. Ten cases are enough for a first round.
#
# Keys: Tab moves between the controls, the arrow keys move the time, Enter presses a button. A line of words says in numbers what the picture shows.

# %% slide="The ward: commit to a diagnosis, and only then be told"
from gan_course import ward, widgets

widgets.ward_round(seed=SEED)

# %% [markdown]
# (Where nothing can be pressed, the picture shows the first case, and the folded list beneath it holds the truth of all of them.)
#
# How far would a rule have come that looks at the log alone? Yours from exercise 6.1, on the same cases. It knows no bugs, so every one of them must deceive it:

# %%
answers = {}
for case in ward.load(SEED):
    log = {**case.run.curves, "spread": case.run.spread}
    answers.setdefault(case.diagnosis, []).append(diagnose(log))
rows = [("truth", "cases", *(kinds := sorted({a for found in answers.values() for a in found})))]
rows += [(truth, str(len(found)), *(str(found.count(kind)) for kind in kinds)) for truth, found in answers.items()]
print(terminal.aligned(rows, numbers=True))
as_in_truth = sum(found.count(truth) for truth, found in answers.items())
print(f"your rule agrees with the truth on {as_in_truth} of {sum(map(len, answers.values()))} cases")

# %% [markdown]
# One caution. These patients were *chosen*: a case whose label its own curves and pictures did not bear out was left out, and some were. Real runs are not chosen. They are often ill in two ways at once, or in none that has a name, and "I cannot tell yet" is then the honest answer.

# %% [markdown]
# ### A diagnosis that may say "I cannot tell"
#
# Your rule of exercise 6.1 always answers. The package's own, `gan_course.diagnosis`, may decline: between the limits, in the first 300 steps, or where a log has losses alone. It also asks for what no log has, the **variety** of 64 generated pictures: how much of what differs among their pixels differs from picture to picture. (0: one picture again and again; digits and clothes have 0.84. Your rule held the spread against that of real digits; this needs no real pictures.)

# %%
from gan_course import diagnosis

for name, gan in (("healthy", lived["healthy"][0]), ("collapse", lived["collapse"][0])):
    print(f"your live run, {name}:", diagnosis.diagnose(gan.history, metrics.variety(sampling.sample(gan.average, 64, 0))), "\n")
for name in runs.published():
    print(f"{name:16s} {diagnosis.of(name).verdict}")

# %% [markdown]
# In a terminal it is `python -m gan_course diagnose RUN`: a run's folder, a log as the DCGAN tutorial prints it, or a CSV of your own with columns such as `D(x)` and `D(G(z))`.
#
# How often is it right? Its limits were set on the digits above. Here it is asked about runs that it has never seen: clothes, other causes, five seeds each. A row is what was provoked, a column what it said.

# %% slide="An honest diagnosis may say: I cannot tell"
unseen_runs = studies.read(studies.get("unseen"), studies.published(studies.get("unseen")))


def confusion(with_pictures):
    """Truth -> verdict -> how many of the unseen runs."""
    table = {}
    for run in unseen_runs:
        variety = run.measured.get("variety") if with_pictures else None
        verdict = diagnosis.diagnose(studies.history(run), variety).verdict
        row = table.setdefault(run.arm.split(":")[0], dict.fromkeys(diagnosis.VERDICTS, 0))
        row[verdict] += 1
    return table


for with_pictures, title in ((True, "log and pictures"), (False, "log alone")):
    table = confusion(with_pictures)
    rows = [(title, *diagnosis.VERDICTS)]
    rows += [(truth, *(str(n or "·") for n in row.values())) for truth, row in table.items()]
    hits = sum(row[truth] for truth, row in table.items())
    declined = sum(row["I cannot tell"] for row in table.values())
    print(terminal.aligned(rows, numbers=True))
    print(f"right {hits} of {len(unseen_runs)}, declined {declined}, wrong {len(unseen_runs) - hits - declined}\n")

# %%
by_cause = {}
for run in unseen_runs:
    by_cause.setdefault(run.arm, []).append(run)
rows = [("provoked", "distance", "variety", "D right", "verdicts")]
for cause, seeds in by_cause.items():
    middle = [np.median([run.measured.get(name, np.nan) for run in seeds]) for name in ("distance", "variety", "right")]
    verdicts = [diagnosis.diagnose(studies.history(run), run.measured.get("variety")).verdict for run in seeds]
    counts = ", ".join(f"{verdicts.count(v)} {v}" for v in diagnosis.VERDICTS if v in verdicts)
    rows.append((cause, f"{middle[0]:.0f}", f"{middle[1]:.2f}", f"{middle[2]:.2f}", counts))
print(terminal.aligned(rows))

# %% [markdown]
# Read the two tables together. With pictures, a verdict of *collapse* becomes possible at all; without them, what was provoked as collapse is mostly read as the imbalance that came with it. (To the package, *collapse* is lost variety under an even game or under a D that leads; the ward's word is narrower.) Where the verdict differs from the row's name, the table of causes says by how much the illness came out at all. (Its numbers are medians. Of the six wrong verdicts one is on a run that is not even ill by section 8's measure, with a distance below twice the healthy one.) And a limit that was set on digits need not hold for a run of another kind: look at the verdicts on the published faces above, hold them against their pictures in lesson 04, and doubt the rule before you doubt your eyes.

# %% [markdown]
# ## 10 · The museum
#
# So far a setting made a run ill. What makes most runs ill is a **bug**: a line that runs, and computes something else than is meant. The bugs of a GAN seldom crash. They train.
#
# The museum shows bugs that public code really had. Each is written anew in a line or two and planted in a recipe of this course (`gan_course/museum.py`; one is the course's own, the neighbour of a harmless one, and its label says so). Its **mend** is the same GAN without that line. So the damage below is the damage here, with these networks, digits and rates. It judges no repository, and nobody's work.
#
# First the labels: the mistake, where it was found, and what was said of it there.

# %%
import textwrap

from gan_course import museum
from gan_course.study_table import STUDIES

for key, exhibit in museum.EXHIBITS.items():
    print(key)
    for label, text in (("bug", exhibit.title), ("found", exhibit.source), ("said", exhibit.told)):
        print(textwrap.fill(f"{label:6s} {text}", 100, initial_indent="    ", subsequent_indent=" " * 11))

# %% [markdown]
# Some were called ruinous, some a typo, and of some one said this and another that. **Predict**, before you look: which three of them do no measurable harm?

# %%
harmless = ("normal_alpha", "mean_first", "large_eps")  # change all three

# %% [markdown]
# Each exhibit and its mend were trained from the same seeds, on 24,000 digits a run (48,000 for R1, whose mended run needs them), at half of the live runs' width. The damage is the difference of their Fréchet distances, seed by seed, and the label follows from its 95 % interval: *harm* where the whole interval lies above 0, *helps* where it lies below, *no measurable harm* where 0 is in it. Where a run ended in NaN, that is harm, whatever the others did.

# %%
damage, missing = {}, []  # arm -> differences by seed, mean, interval, label
rows = [("exhibit", "mended", "exhibit minus mended", "95 % interval", "seeds", "label")]
for study in (study for name, study in STUDIES.items() if name.startswith("museum-")):
    results = studies.read(study, studies.published(study))
    distances, ended = studies.by_arm(results, "distance"), studies.by_arm(results, "diverged")
    mended = distances.get("mended", {})
    for arm in list(study.arms)[1:]:
        name = arm if arm in study.bugs else f"({arm} {study.key.removeprefix('museum-')})"  # no bug, to compare with
        planted, lost = distances.get(arm, {}), int(sum(ended.get(arm, {}).values()))
        apart = [planted[seed] - mended[seed] for seed in sorted(planted.keys() & mended.keys())]
        if lost:
            mean, low, high, label = math.inf, math.inf, math.inf, f"harm: NaN in {lost} of {len(ended[arm])} runs"
        elif len(apart) > 1:
            mean, low, high = studies.difference(planted, mended)
            label = "harm" if low > 0 else "helps" if high < 0 else "no measurable harm"
        else:
            missing.append(study.key)
            continue
        damage[name] = (apart, mean, low, high, label)
        numbers = (f"{mean:+.2f}", f"{low:+.2f} to {high:+.2f}") if not lost else ("–", "–")
        rows.append((name, f"{np.median(list(mended.values())):.1f}", *numbers, str(len(apart) + lost), label))
measured = {name: numbers for name, numbers in damage.items() if name in museum.EXHIBITS}
labels = [label.split(":")[0] for *_, label in measured.values()]
tally = ", ".join(f"{label} {labels.count(label)}" for label in ("harm", "no measurable harm", "helps"))
if damage:
    print(terminal.aligned(rows, numbers=True))
    known = [name for name in harmless if name in measured]
    right_guesses = sum(measured[name][-1] == "no measurable harm" for name in known)
    print(f"\n{len(measured)} of {len(museum.EXHIBITS)} exhibits: {tally}; of your {len(known)} guesses {right_guesses} are right")
if missing:
    print("\nNot measured yet, or from fewer than two seeds. In the course's folder these make what is missing (hours):")
    for key in dict.fromkeys(missing):
        print(f"    python -m gan_course study {key} --seeds 5 --out assets/studies/{key}.jsonl")

# %% slide="Some bugs of public code ruin the run, others do no measurable harm"
def hang(damage):
    """Damage by exhibit: a dot a seed, a line for the interval; the worst above. None where nothing was measured."""
    if not damage:
        return print("nothing was measured yet; the commands above do it")
    worst_last = sorted(damage.items(), key=lambda item: item[1][1])
    half = (len(damage) + 1) // 2  # a column
    figure, columns = show.new_figure(9, 1.1 + 0.3 * half, ncols=2, sharex=True)
    for axes, rows in zip(columns, (worst_last[-half:], worst_last[:-half])):
        for place, (_, (apart, _, low, high, label)) in enumerate(rows):
            colour = show.RED if label.startswith("harm") else show.GREEN if label == "helps" else show.GREY
            axes.plot(apart, [place] * len(apart), "o", color=colour, ms=6, alpha=0.7, clip_on=False)
            if math.isfinite(high):
                axes.plot((low, high), (place, place), color=colour, lw=2)
            else:
                axes.text(1, place, f"{label} ", color=colour, ha="right", transform=axes.get_yaxis_transform())
        axes.axvline(0, color="black", lw=1)
        axes.set_yticks(range(len(rows)), [name for name, _ in rows])
    axes.set_xscale("symlog", linthresh=10)  # straight from -10 to 10, logarithmic beyond; for both columns
    axes.xaxis.set_major_formatter("{x:.0f}")
    figure.supxlabel("Fréchet distance, exhibit minus mended")
    said = "; ".join(
        f"{name} {label}" + (f" ({mean:+.1f}, {low:+.1f} to {high:+.1f})" if math.isfinite(mean) else "")
        for name, (_, mean, low, high, label) in reversed(worst_last)
    )
    return show.figure(figure, f"Damage of each exhibit, a dot a seed, from the worst down. {said}.")


hang(damage)

# %% [markdown]
# How to read it.
#
# - **No measurable harm is a result**, about this setting. It does not make the line right: it says something else than it does, and the next person builds on what it says. Often the harmlessness rests on another line. Compare `no_detach` with `leak_into_g`: they differ in *when* G's gradients are set to 0, and in nothing else.
# - `no_detach` computes the same weights as its mend, bit for bit on one processor, so that each of its differences should be 0, not merely small. All the others are a matter of several seeds.
# - The row in brackets is no bug: it is the mended form of `r1_of_the_loss` with no R1 at all. That exhibit differentiates a mean of 32 losses. Where D is unsure, at D = 0, this makes the penalty weaker by the factor (2 · 32)² = 4,096, and weaker still on pictures of which D is sure. So it should cost about what the row in brackets costs. Does it?
# - Look at the column *mended* before you read the labels: healthy runs of this size stand near 19, and beside a mended run that has hardly begun to draw digits no bug can do harm. So the weights of the penalties were chosen first, such that the mended run learns (`museum.SETTINGS` says what was tried).
# - Five exhibits are mistakes in the gradient penalty. Whose interval leaves out 0? What is shown is 750 steps at weight 1; what a hundred thousand at weight 10 would show, nobody has measured here.
# - Five seeds make a wide interval. Small harm hides in it, and `bare_root` shows how much chance there is: where no slope is 0 it computes the *same* number as its mend and only rounds otherwise, so whatever its row says, in a game as restless as this one, is chance. Where two people said opposite things of one line, both may have seen what they say, with one seed each.
#
# Three of the exhibits are yours now: find the line, then mend it, or write the test that would have found it.
#
# ### Exercise 6.7 · Which sign is right?
# Difficulty ●●○○○ · 15 minutes · why it matters: a mend that looks at one line can be the bug.
#
# These are the losses of `one_sign`, both to be minimised, as they stand since somebody mended them. D is a Wasserstein critic: its output is a score.
#
# 1. `two_lines`: the numbers of the **two** lines that contradict each other.
# 2. `mended_losses`: the same with the contradiction gone. There is more than one right mend.
#
# <details><summary>Hint 1</summary>
#
# Neither of the two is wrong by itself. Write beside each loss which score its minimiser raises and which it lowers.
#
# </details>
# <details><summary>Hint 2</summary>
#
# Whoever minimises a − b lowers a and raises b. What do D's step and G's step do to D(G(z))?
#
# </details>
# <details><summary>Hint 3</summary>
#
# Turn one sign of the two lines, whichever you like, and not both.
#
# </details>

# %%
def found_losses(D, real, fake):
    """D's loss and G's, as found."""
    real_score = D(real).mean()  # line 1
    fake_score = D(fake.detach()).mean()  # line 2
    loss_d = real_score - fake_score  # line 3
    loss_g = -D(fake).mean()  # line 4
    return loss_d, loss_g


# %%
# solution
two_lines = (3, 4)
# end solution


# %%
def mended_losses(D, real, fake):
    """D's loss and G's, pulling against each other."""
    # solution
    real_score = D(real).mean()
    fake_score = D(fake.detach()).mean()
    return fake_score - real_score, -D(fake).mean()
    # end solution


# %%
lesson_06.exercise_7(two_lines, mended_losses)

# %% [markdown]
# Watch both where everything is known: the data lie at 3, G makes the point θ and begins at 0, D(y) = ψy is charged by your R1 with γ = 2. **Predict** for the pair as found: where does θ go, and what does D's loss look like meanwhile?

# %% slide="As found, D's loss falls and falls while G runs away"
def play(losses_of, steps=100, rate=0.1):
    """D and G in turn; θ and D's loss at the end."""
    theta, psi = (torch.zeros((), requires_grad=True) for _ in range(2))

    def D(y):
        return psi * y.flatten()

    for _ in range(steps):
        loss_d, _ = losses_of(D, there, theta.expand(64, 1, 1, 1))
        (by_psi,) = torch.autograd.grad(loss_d + 2 * r1(D, there), psi)
        psi.data -= rate * by_psi
        _, loss_g = losses_of(D, there, theta.expand(64, 1, 1, 1))
        (by_theta,) = torch.autograd.grad(loss_g, theta)
        theta.data -= rate * by_theta
    return theta.item(), loss_d.item()


for name, losses_of in (("as found", found_losses), ("mended", mended_losses)):
    theta, loss_d = play(losses_of)
    print(f"{name:9s} θ = {theta:8.2f} (data at 3), D's loss {loss_d:10.2f}")
    assert (abs(theta - 3) < 0.5) == (name == "mended")

# %% [markdown]
# As found, D's loss falls and falls, which from a critic looks splendid: it reports a growing distance between data and pictures, and the distance does grow, because G runs away. The line that came in as a mend looks *more* right than the one before it: −D(G(z)) is G's loss in the paper and in this lesson. But a sign is right only together with another one. A test that would have told: take a step of each, and see that D(G(z)) moves one way by D's and the other way by G's.
#
# ### Exercise 6.8 · Two suspects, one bug
# Difficulty ●●●○○ · 20 minutes · why it matters: nothing crashes, and both losses look as always.
#
# One step of the plain recipe with two things in it that lesson 02 warned of. One of them costs time and nothing else. The other is the bug.
#
# 1. `leaking_line`: the number of the line that is the bug.
# 2. `mended_step`: the step without it. The harmless one may stay or go.
#
# The check compares all weights with the package's after six steps, as in exercise 2.4.
#
# <details><summary>Hint 1</summary>
#
# Make a list for each network: which lines add to its gradients, which one empties them, which one uses them?
#
# </details>
# <details><summary>Hint 2</summary>
#
# Go round twice: line 3 of the *second* step adds to what it finds. Which line wrote there last?
#
# </details>
# <details><summary>Hint 3</summary>
#
# Every backward pass of G's loss leaves gradients in D, also in the package. They do no harm if they are gone when D's own backward pass begins. Moving one line is enough.
#
# </details>

# %%
def found_step(gan, real):
    """One step of D and one of G, as found."""
    fake = gan.G(gan.latents(len(real)))  # line 1
    loss_d = losses.d_bce(gan.D(real), gan.D(fake))  # line 2
    loss_d.backward(retain_graph=True)  # line 3
    gan.opt_d.step()  # line 4
    gan.opt_d.zero_grad()  # line 5
    loss_g = losses.g_non_saturating(gan.D(fake))  # line 6
    gan.opt_g.zero_grad()  # line 7
    loss_g.backward()  # line 8
    gan.opt_g.step()  # line 9
    return {"loss_d": loss_d.detach(), "loss_g": loss_g.detach()}


# %%
# solution
leaking_line = 5
# end solution


# %%
def mended_step(gan, real):
    """One step of D and one of G, each by its own loss."""
    # solution
    fake = gan.G(gan.latents(len(real)))
    loss_d = losses.d_bce(gan.D(real), gan.D(fake.detach()))
    gan.opt_d.zero_grad()
    loss_d.backward()
    gan.opt_d.step()
    loss_g = losses.g_non_saturating(gan.D(fake))
    gan.opt_g.zero_grad()
    loss_g.backward()
    gan.opt_g.step()
    return {"loss_d": loss_d.detach(), "loss_g": loss_g.detach()}
    # end solution


# %%
lesson_06.exercise_8(leaking_line, mended_step)

# %% [markdown]
# What did the bug do to D? Its gradient should be that of its own loss. From the second step on, G's is added to it, and on generated pictures G's loss wants the opposite of D's. Measure the angle between the gradient that was used and the right one. **Predict** its cosine: 1 would be no harm, 0 a gradient that has nothing to do with D's task.

# %% slide="The leak turns D's gradient away from D's own task"
def cosines(step, steps):
    """Cosine between D's gradient as a step uses it and that of D's own loss, at the second step and later ones."""
    gan, found, seen_by_d = GAN(sound_recipe, SEED, device), [], []
    gan.D.register_forward_pre_hook(lambda D, inputs: seen_by_d.append(inputs[0].detach()))

    def compare(*_):
        real, fake = seen_by_d[:2]
        used = torch.cat([p.grad.flatten() for p in gan.D.parameters()])
        own = torch.autograd.grad(losses.d_bce(gan.D(real), gan.D(fake)), list(gan.D.parameters()))
        found.append(F.cosine_similarity(used, torch.cat([g.flatten() for g in own]), dim=0).item())

    gan.opt_d.register_step_pre_hook(compare)
    for begin in range(0, steps * gan.batch, gan.batch):
        seen_by_d.clear()
        step(gan, data.to_signed(digits.images[begin : begin + gan.batch]))
    return np.array(found[1:])


for name, step in (("as found", found_step), ("mended", mended_step)):
    angles = cosines(step, 15)
    print(f"{name:9s} cosine {angles.mean():.2f} on average over 14 steps, {angles.min():.2f} to {angles.max():.2f}")

# %% [markdown]
# The mended one has nothing to add, so its cosine is 1. What the bug costs a whole run is in the table above, under `leak_into_d`; and what the missing `detach` costs, under `no_detach`.
#
# ### Exercise 6.9 · A test that finds it
# Difficulty ●●●●○ · 35 minutes · why it matters: an eye finds a bug once; a test finds it every time.
#
# The gradient penalty of `one_axis`. One of its lines was right where it came from, because there each picture is one flat row of pixels, [N, pixels].
#
# 1. `wrong_line`: the number of the line at fault.
# 2. The mend you have written already: exercise 6.3. So write the test: `is_sound(penalty)` takes an implementation that is called as yours is, `penalty(D, real, fake, generator)` with pictures [N, C, H, W], and returns True if it computes $\operatorname{E}(\|\nabla_y D(y)\| - 1)^2$ at uniformly random points of the lines between the pairs, and D can learn from it; otherwise False.
#
# The check gives your test sound implementations, written in different ways, and buggy ones, more of them than this exercise names. So do not ask whether an implementation does as yours does. Ask whether what comes out is right.
#
# <details><summary>Hint 1</summary>
#
# You choose D. Take one whose slope you can write down at every point and which is not the same everywhere: D(y) = |y|² has the slope 2|y|. What would a linear D hide?
#
# </details>
# <details><summary>Hint 2</summary>
#
# You choose the pictures, too: several of them, with several channels and pixels, the real ones full of 1 and the generated ones full of 0. Then the points that D gets to see *are* the alphas. Let your D keep them in a list.
#
# </details>
# <details><summary>Hint 3</summary>
#
# Four questions. Is the value that of the formula at the points that D saw, but for rounding? Is alpha the same all over a picture? Does it stay in 0 … 1, and spread there? Does the penalty require a gradient, if something in D does?
#
# </details>

# %%
def found_penalty(D, real, fake, generator):
    """The gradient penalty, as found."""
    alpha = torch.rand(len(real), 1, 1, 1, generator=generator, device=real.device)  # line 1
    y = (alpha * real + (1 - alpha) * fake.detach()).requires_grad_()  # line 2
    scores = D(y)  # line 3
    (g,) = torch.autograd.grad(scores, y, torch.ones_like(scores), create_graph=True)  # line 4
    return (g.norm(dim=1) - 1).square().mean()  # line 5


# %%
# solution
wrong_line = 5
# end solution


# %%
def is_sound(penalty):
    """Whether an implementation of the gradient penalty is right."""
    # solution
    points, height = [], torch.ones((), requires_grad=True)

    def D(y):
        points.append(y.detach().flatten(1))
        return height * y.square().flatten(1).sum(1)

    cost = penalty(D, torch.ones(200, 3, 4, 4), torch.zeros(200, 3, 4, 4), torch.Generator().manual_seed(0))
    alpha = points[0]
    right = (2 * alpha.norm(dim=1) - 1).square().mean()
    one_a_picture = (alpha - alpha[:, :1]).abs().max() < 1e-3
    uniform = alpha.min() > -1e-3 and alpha.max() < 1 + 1e-3 and abs(alpha[:, 0].std() - 12**-0.5) < 0.05
    return bool(cost.requires_grad and (cost - right).abs() < 1e-3 * right and one_a_picture and uniform)
    # end solution


# %%
lesson_06.exercise_9(wrong_line, is_sound)

# %% [markdown]
# Now walk through the museum with it: its penalties, the one above, and your own.

# %%
penalties = {key: getattr(museum, key) for key in ("normal_alpha", "alpha_a_pixel", "one_axis", "mean_first", "bare_root")}
for name, penalty in {**penalties, "found_penalty": found_penalty, "your own (6.3)": gradient_penalty}.items():
    label = damage[name][-1] if name in damage else "–"
    print(f"{name:15s} {'passes' if is_sound(penalty) else 'is found':9s} measured: {label}")

# %% [markdown]
# Two things to see. Your test does not know what a bug costs, and need not: it says whether the line is what it claims to be. And one of the museum's may have passed: `bare_root` is right wherever D has any slope. At a flat D its square root has no derivative, and one step later every weight is NaN. A test finds what it asks for, so each bug that slips through becomes another question:

# %%
level = torch.zeros(1, 4, 4, requires_grad=True)


def flat_d(y):
    return (y * level).sum((1, 2, 3))


for name, penalty in (("bare_root", museum.bare_root), ("losses.gradient_penalty", losses.gradient_penalty)):
    cost = penalty(flat_d, torch.ones(2, 1, 4, 4), torch.zeros(2, 1, 4, 4), torch.Generator())
    (by_level,) = torch.autograd.grad(cost, level)
    print(f"{name}: penalty {cost.item():.0f} at a flat D, its gradient {'NaN' if by_level.isnan().any() else 'finite'}")

# %% [markdown]
# ## 11 · A step of your own
#
# ### Exercise 6.10 · A step of your own
# Difficulty ●●●●○ · 40 minutes · why it matters: the next paper's idea will not be a field of anybody's recipe.
#
# `training.train(gan, images, until, step=...)` takes a step of your own in place of the package's. Write one with all of this lesson in it, so that it does what the package does for hinge, a gradient penalty and `d_every`. In this order:
#
# 1. G's pictures of `gan.latents(len(real))`;
# 2. where `gan.step` is divisible by `gan.recipe.d_every`, D's step: its outputs for the real and then for the generated pictures, your hinge loss, plus `gan.recipe.penalty_weight` times your gradient penalty with the generator `gan.noise`. One step of `gan.opt_d` on the sum;
# 3. G's step on the *same* pictures, with your hinge loss for G and `gan.opt_g`;
# 4. return the losses: `loss_g`, and `loss_d` (without the penalty) where D moved, as detached tensors.
#
# The check compares all weights with the package's after six steps, as in lesson 02, and the losses that you return.
#
# <details><summary>Hint 1</summary>
#
# It is lesson 02's loop body with other losses and one condition. Which pictures are detached, and which must not be?
#
# </details>
# <details><summary>Hint 2</summary>
#
# D: `gan.D(real)`, `gan.D(fake.detach())`, loss, `gan.opt_d.zero_grad()`, `(loss + weight * charge).backward()`, `gan.opt_d.step()`. G's backward leaves gradients in D; D's next `zero_grad()` clears them.
#
# </details>

# %%
def own_step(gan, real):
    """One step with hinge, a gradient penalty, and D's rests; returns the telemetry."""
    # solution
    recipe, telemetry = gan.recipe, {}
    fake = gan.G(gan.latents(len(real)))
    if gan.step % recipe.d_every == 0:
        loss = hinge_d(gan.D(real), gan.D(fake.detach()))
        charge = gradient_penalty(gan.D, real, fake.detach(), gan.noise)
        gan.opt_d.zero_grad()
        (loss + recipe.penalty_weight * charge).backward()
        gan.opt_d.step()
        telemetry["loss_d"] = loss.detach()
    loss = hinge_g(gan.D(fake))
    gan.opt_g.zero_grad()
    loss.backward()
    gan.opt_g.step()
    return {**telemetry, "loss_g": loss.detach()}
    # end solution


# %%
lesson_06.exercise_10(own_step)

# %% [markdown]
# Now as a treatment of the fast D: hinge, gradient penalty, and D at every fourth step. First a few steps beside the package's own, then the whole run with yours.

# %%
combined = {
    **ILLNESSES["d-too-fast"],
    "objective": "hinge",
    "penalty": "gradient",
    "penalty_weight": 10.0,
    "d_norm": "layer",
    "d_every": 4,
}
both = [GAN(sound_recipe.but(**combined), SEED, device) for _ in range(2)]
for gan, step in zip(both, (own_step, None)):
    for _ in training.train(gan, digits.images, 8, step=step, progress=False):
        pass
weights = [torch.cat([p.detach().flatten() for p in (*gan.G.parameters(), *gan.D.parameters())]) for gan in both]
difference = (weights[0] - weights[1]).abs().max().item()
print(f"after 8 steps the weights of both are at most {difference:.1e} apart; D's rate is {combined['lr_d']:g}")

# %% [markdown]
# Where that is not 0, your operations round otherwise than the package's. Adam divides each gradient by its own size, so where a gradient is nearly 0 and rounding decides its sign, a weight can differ by a good part of the rate.

# %%
own_gan, own_log, _ = live_run(combined, step=own_step)
own = sampling.sample(own_gan.average, 2_000, seed=1)
own_numbers = seen(own)
for name, numbers in (("untreated", fast_d), ("hinge, penalty, D rests", own_numbers), ("healthy", well)):
    print(f"{name:24s} distance {numbers['distance']:4.0f}, kinds {numbers['kinds']:.1f}, sure {numbers['sure']:.2f}")
print(f"D's hinge loss at the end: {np.nanmean(own_log['loss_d'][-(UNTIL // 5) :]):.2f} (a blind D's is 2)")
show.beside(
    {"untreated": made["d-too-fast"][:36], "by your step": own[:36]},
    f"36 digits of the untreated fast D's generator, and of the one trained by your step: the judge's distance is "
    f"{fast_d['distance']:.0f} and {own_numbers['distance']:.0f}.",
)

# %% [markdown]
# Four changes at once (with D's normalisation, which the penalty asks for), one seed. Is it better? Then you do not know which of the four it was. Is it worse? Then one of them may have helped all the same, and another one spoilt it: D's rate is still twenty times G's, but a penalised D that rests three steps of four is another D. (A hinge loss above 2 says that D is worse than blind: then the treatment has turned the lead around.) That is the price of treating first and asking later, and the reason why the studies change one thing at a time.

# %% tags=["showed"]
reading = f"{agreed} of 4 runs read as provoked" if readable else "the runs were too short to be told apart"
print(f"{reading}; G's gradient under a fast D is {ratio:.2g} times the healthy run's;")
print(f"R1 on the Dirac-GAN settles as predicted (to {worst_error:.0e} a step), a penalty centred at 1 keeps it up to {far['centred at 1']:.2f} off;")
print(f"the museum: {len(measured)} of {len(museum.EXHIBITS)} exhibits measured: {tally};")
print(f"{illness} with {remedy}: distance {found['untreated']['distance']:.0f} → {found[remedy]['distance']:.0f} (one seed)")

# %% [markdown]
# ## What to remember
#
# - Healthy means a contest: D right more often than not, and not always. The losses of a GAN do not measure its pictures.
# - A log tells who leads. Whether variety is lost, only pictures tell; any imbalance may cost it.
# - With the non-saturating loss G's gradient does not vanish where D is sure. It is multiplied by D's slope.
# - A penalty on D's slope is per picture: no BatchNorm in D, the norm over all pixels, differentiated once more. Centred at 1 it belongs to the Wasserstein distance; centred at 0 it lets the game come to rest.
# - Choose one remedy, say beforehand what it will do, compare with the same seed, and believe it after several seeds. What a bug costs is found in the same way; that it is there, by a test that fails because of it.
#
# ## Ask yourself
#
# <details><summary>D's loss is 0.02 after ten steps. Is the run sick?</summary>
# You cannot tell yet: noise is easy to tell from digits, and a healthy run may begin like that. Look again when G has learnt to make strokes.
# </details>
#
# <details><summary>G's loss has been rising for an hour. Is that bad?</summary>
# By itself it says that D has become surer. If D is still wrong now and then and the pictures improve, both players are learning.
# </details>
#
# <details><summary>Somebody adds a gradient penalty to a DCGAN whose D has BatchNorm, and nothing fails. What did they get?</summary>
# A penalty on something else: the gradient of the sum of all outputs by one picture's pixels holds that picture's influence on all other verdicts, too.
# </details>
#
# <details><summary>Why is R1 charged at real pictures only?</summary>
# There the game ends: when G makes the data, its pictures lie there, too, and D has to be flat at them. (R2 charges at G's pictures; the two are the same for the line of the Dirac-GAN.)
# </details>
#
# <details><summary>A reader writes that your G's loss has the wrong sign. What do you look at before you change it?</summary>
# D's loss. The sign of one alone is neither right nor wrong: D's step and G's step have to move the scores of generated pictures in opposite ways. (The museum's `one_sign` is what comes of it otherwise.)
# </details>
#
# <details><summary>A bug did no measurable harm over several seeds. May it stay?</summary>
# What was measured is one setting. Elsewhere it may cost something, and if its harmlessness rests on another line, as that of the missing detach rests on a zero_grad() in time, whoever moves that line wakes it.
# </details>
#
# ## Where to read on
#
# - Ishaan Gulrajani, Faruk Ahmed, Martin Arjovsky, Vincent Dumoulin, Aaron Courville, *Improved Training of Wasserstein GANs*, 2017, [arXiv:1704.00028](https://arxiv.org/abs/1704.00028): the gradient penalty is section 4, and why D has no BatchNorm stands there.
# - Martin Arjovsky, Soumith Chintala, Léon Bottou, *Wasserstein GAN*, 2017, [arXiv:1701.07875](https://arxiv.org/abs/1701.07875).
# - Lars Mescheder, Andreas Geiger, Sebastian Nowozin, *Which Training Methods for GANs do actually Converge?*, 2018, [arXiv:1801.04406](https://arxiv.org/abs/1801.04406): the Dirac-GAN, R1 and R2.
# - Jae Hyun Lim, Jong Chul Ye, *Geometric GAN*, 2017, [arXiv:1705.02894](https://arxiv.org/abs/1705.02894): hinge.
# - Takeru Miyato, Toshiki Kataoka, Masanori Koyama, Yuichi Yoshida, *Spectral Normalization for Generative Adversarial Networks*, 2018, [arXiv:1802.05957](https://arxiv.org/abs/1802.05957): a bound on the slope without a penalty.
# - Tim Salimans, Ian Goodfellow, Wojciech Zaremba, Vicki Cheung, Alec Radford, Xi Chen, *Improved Techniques for Training GANs*, 2016, [arXiv:1606.03498](https://arxiv.org/abs/1606.03498): feature matching, minibatch features, one-sided smoothing.
# - Yiwen Huang, Aaron Gokaslan, Volodymyr Kuleshov, James Tompkin, *The GAN is dead; long live the GAN! A Modern GAN Baseline*, 2024, [arXiv:2501.05441](https://arxiv.org/abs/2501.05441): R1 and R2 with the relativistic pair.
