# %% [markdown]
# # 04 · Faces at 64, 96 and 128 pixels
#
# > After it you can prepare a set of faces, train a generator on it, and read its telemetry.
#
# {{badge}}
#
# **After this lesson you can**
#
# - say what is in a set of faces, under which terms you may use it, and who is missing from it,
# - prepare photographs of any shape for a network, once, and say which part of each is lost,
# - run the DCGAN tutorial's protocol and read its five numbers,
# - compare what a text says about a log with what the log says,
# - take the networks to 96 and 128 pixels, and predict what that costs,
# - tell three causes of a grid apart: unequal counts, unequal weights, and first weights whose mean is not 0,
# - bring pictures of any shape and a generator of your own size together, and judge the run by its log.
#
# | | two CPU cores | Colab T4 |
# |---|---|---|
# | minutes to run it all | about 4 | not measured yet |
# | minutes to read and solve it | about 120 | about 120 |
#
# Read first: lesson 03, for the arithmetic of sizes and for checkerboards.

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
import json
import re
import time

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from gan_course import (
    data,
    devices,
    files,
    networks,
    patterns,
    portraits,
    profiles,
    recipes,
    runs,
    sampling,
    show,
    sizes,
    terminal,
    training,
    watch,
    widgets,
)
from gan_course.checks import lesson_04
from gan_course.gan import GAN

SEED = 999  # the tutorial's
here = profiles.current()
device = devices.default()
print(f"profile {here.name}: {here.about}; computing on {devices.name(device)}")

# %% [markdown]
# ## 1 · The faces
#
# The *DCGAN Tutorial* of PyTorch (Nathan Inkawhich, 2018; *the tutorial* from here on) trains on **CelebA** (Liu, Luo, Wang and Tang, 2015): 202,599 photographs of about ten thousand celebrities, aligned by the eyes and cut to 178 × 218 pixels, with forty yes-or-no attributes each. Before you use it, know this:
#
# | | CelebA | the course's drawn faces |
# |---|---|---|
# | what | photographs, collected from the web | paintings of nobody, made by a program |
# | consent | none is documented | nobody is in them |
# | you may | use them for non-commercial research | copy, change, publish (CC BY 4.0) |
# | you may not | pass on any part of them, so no CelebA picture stands in this course | – |
# | who is in them | famous people in front of cameras, mostly western and young | whatever the program can draw: traits are rolled independently, unless one decides another (age greys the hair, and what a hat hides does not count: nobody is bald under it) |
# | who is missing | most of the world | everybody: these are not people |
# | attributes | judged by annotators, "Attractive" among them | thresholds on what was drawn, so exactly true |
#
# A generator repeats its training set. What is missing there stays missing, what is there can be lost (lesson 02 counted trousers), and a celebrity's face can come out recognisable. With faces that is somebody's concern.
#
# So this lesson runs on **drawn faces** unless CelebA already lies on your machine. `data.load` says which it took. To use CelebA, agree to its terms and run `python -m gan_course data celeba --fetch`, or name a folder or zip of pictures in `GAN_COURSE_CELEBA`. Any folder of pictures will do.

# %% slide="Drawn faces: paintings of nobody, made by a program"
faces = data.load("faces", 64, count=here.pick(ci=600, cpu=20_000, colab=20_000, full=20_000))
kind = {"drawn-faces": "drawn faces", "celeba": "photographs"}[faces.name]
print(faces.source)
show.grid(faces.images[:32], f"32 {kind} at 64 × 64 pixels from the training set.", columns=16)

# %% [markdown]
# Attributes come with them. **Count before you train**: this is the population that the generator will imitate.

# %% slide="Count before you train: G will imitate this population"
if faces.attributes is not None:
    share = faces.attributes.float().mean(0)
    for i in share.argsort(descending=True).tolist():
        print(f"{faces.attribute_names[i]:20s} {share[i]:6.1%}  {'█' * round(50 * share[i].item())}")

# %% [markdown]
# ## 2 · Prepared once
#
# A network takes squares of one size. The tutorial makes them with two transforms: `Resize(64)` scales the picture until its *shorter* side is 64 (rounding the longer one down), `CenterCrop(64)` keeps the middle. For CelebA's 178 × 218 that gives 64 × 78 first, and then rows 7 to 70.
#
# ### Exercise 4.1 · What is kept
# Difficulty ●●○○○ · 10 minutes · why it matters: chins and hats are lost here, before any network has seen them.
#
# Which part of the *original* picture survives? Return left, top, right and bottom of that square in original pixels, as floating-point numbers, for any width and height. (The middle, as far as the rounding of a pixel allows.)
#
# <details><summary>Hint 1</summary>
#
# How wide is the surviving square in *original* pixels? Scaling does not change which part is kept.
#
# </details>
# <details><summary>Hint 2</summary>
#
# What is lost of the longer side is lost in equal parts at both ends: half of `width - side` lies left of the square.
#
# </details>
# <details><summary>Hint 3</summary>
#
# `side = min(width, height)`; left is `(width - side) / 2`, and right is a place, `left + side`.
#
# </details>

# %%
def kept(width, height):
    """(left, top, right, bottom), in pixels of the original, of what Resize and CenterCrop keep."""
    # solution
    side = min(width, height)
    left, top = (width - side) / 2, (height - side) / 2
    return left, top, left + side, top + side
    # end solution


# %%
lesson_04.exercise_1(kept)

# %%
# NBVAL_CHECK_OUTPUT
left, top, right, bottom = kept(178, 218)
print(f"of 178 × 218 pixels: columns {left:.0f} to {right:.0f}, rows {top:.0f} to {bottom:.0f}")
print(f"lost: {1 - (right - left) * (bottom - top) / (178 * 218):.1%} of every photograph")

# %% [markdown]
# The tutorial decodes, resizes and crops every JPEG again in every epoch. The course does it once: `data.load` writes all pictures into one file of whole numbers from 0 to 255, in the cache, and maps it into memory. All of CelebA at 64 pixels takes 2.5 GB, decoded once instead of five times. It skips and names damaged files, goes on where it was interrupted, and notices when the folder has changed. Two cores decoded 202,599 stand-ins of CelebA's size in 100 seconds; afterwards there is nothing left to decode.
#
# From here on a batch is a few rows of that tensor, scaled to −1 … 1 on the device.
#
# ## 3 · The networks
#
# Four doublings from 4 to 64 pixels, and the same way back. You can read it off the sizes:

# %% slide="Four doublings from 4 to 64 pixels, and the same way back"
# NBVAL_CHECK_OUTPUT
G, D = networks.build("dcgan-faces", channels=3, size=64)
for name, network, x in (("G", G, torch.randn(1, 100)), ("D", D, torch.zeros(1, 3, 64, 64))):
    shapes = [shape for layer, shape in sizes.trace(network, x) if layer.startswith("Conv")]
    print(name, " → ".join("×".join(map(str, shape)) for shape in shapes))
    print(f"  {networks.count_parameters(network):,} weights")

# %% [markdown] slide="Five numbers say how the game stands"
# ## 4 · The tutorial's protocol
#
# Batches of 128; Adam with rate 0.0002 and first decay 0.5 for both networks; labels 1 and 0; one step of D (a real batch, then a generated one), then one of G *on the same generated batch*; seed 999; 64 fixed latents drawn on a schedule; and a line of telemetry every 50 steps. All of that is the recipe `dcgan-faces-64`.
#
# Five numbers stand in the line. $x$ is the real batch, $z$ the latents.
#
# | | | with a D that cannot tell |
# |---|---|---|
# | `Loss_D` | D's loss on the real and on the generated batch, added | $2 \log 2 = 1.386$ |
# | `Loss_G` | G's loss: how far D is from calling the generated batch real | $\log 2 = 0.693$ |
# | `D(x)` | D's mean score of the real batch | 0.5 |
# | `D(G(z))`, first | its mean score of the generated batch, before D's step | 0.5 |
# | `D(G(z))`, second | the same pictures scored again after D's step, as G's step sees them | 0.5 |
#
# **Predict:** which of the two D(G(z)) is the lower, and why?

# %%
recipe = recipes.get("dcgan-faces-64")
# On a laptop: a quarter of the channels, and smaller batches for more steps a minute.
small = recipe.but(
    width=here.pick(ci=0.125, cpu=0.25, colab=1.0, full=1.0),
    batch=here.pick(ci=32, cpu=32, colab=128, full=128),
    precision="auto",
)
gan = GAN(small, seed=SEED, device=device)
until = here.pick(ci=60, cpu=1_000, colab=2_000, full=7_914)
live = watch.LiveTraining(goal=until * small.batch)
lines = []
for _ in training.train(gan, faces.images, until):
    lines.append(gan.history.line())
    live.update(gan)
print(*lines[:: max(1, len(lines) // 10)], sep="\n")
lower = np.mean(gan.history["d_fake_after"] < gan.history["d_fake"])
print(f"the second D(G(z)) is the lower one in {lower:.0%} of these {len(gan.history):,} steps")

# %% [markdown]
# One expects the second to be the lower: D has just taken a step that, among other things, scores these very pictures down. The last line above counts how often that is so. It need not be so in every step, because the same step serves the real batch and carries Adam's momentum; section 5 counts it in the tutorial's own log. Where it is so, G works against the second number, and its task is harder than the first suggests.
#
# ### Exercise 4.2 · Read a log
# Difficulty ●●○○○ · 15 minutes · why it matters: most of what is known about other people's runs is text like this.
#
# Write `read_line`: a line of a log, in the course's format or in the tutorial's, becomes the five numbers in their order; a line that is none of telemetry becomes `None`. The two formats:
#
# ```
# step     50  Loss_D: 0.3567  Loss_G: 12.2064  D(x): 0.9364  D(G(z)): 0.1409 / 0.0000
# [0/5][50/1583]    Loss_D: 0.3567    Loss_G: 12.2064    D(x): 0.9364    D(G(z)): 0.1409 / 0.0000
# ```
#
# Between name and number, and between the numbers, stands any amount of white space. In a regular expression a bracket that is meant literally is written `\(`; the fifth number has no name and follows the slash.
#
# <details><summary>Hint 1</summary>
#
# `re.search(pattern, line)` finds the pattern anywhere in a line, and gives `None` where there is none. What does your function return then?
#
# </details>
# <details><summary>Hint 2</summary>
#
# A number is `([\d.]+)`, in brackets so that it is kept; any white space is `\s+`, or `\s*` where there may be none. Write raw strings, `r"…"`.
#
# </details>
# <details><summary>Hint 3</summary>
#
# Piece by piece: `Loss_D:\s*([\d.]+)\s+Loss_G:\s*([\d.]+)\s+D\(x\):…`. `found.groups()` are five texts; make floats of them.
#
# </details>

# %%
def read_line(line):
    """(Loss_D, Loss_G, D(x), D(G(z)) before, D(G(z)) after) as floats, or None."""
    # solution
    number = r"([-+\d.e]+|nan|inf)"
    found = re.search(
        rf"Loss_D:\s*{number}\s+Loss_G:\s*{number}\s+"
        rf"D\(x\):\s*{number}\s+D\(G\(z\)\):\s*{number}\s*/\s*{number}",
        line,
    )
    return tuple(float(text) for text in found.groups()) if found else None
    # end solution


# %%
lesson_04.exercise_2(read_line)

# %% [markdown]
# ## 5 · Does D(x) fall to one half?
#
# The tutorial explains its line with a prediction: D(x) *should start close to 1* and converge to 0.5 as G gets better, and D(G(z)) should start near 0 and converge to 0.5, too. It also prints the log of its own run, five epochs over CelebA. Your function can read it. So we need not believe anybody.

# %% slide="D(x) jumps up at once; the second D(G(z)) is mostly the lower one"
# NBVAL_CHECK_OUTPUT
printed = (files.assets_dir() / "dcgan-tutorial-log.txt").read_text().splitlines()
print(*(line.replace("\t", "  ") for line in printed[:2]), sep="\n")
log = np.array([read_line(line) for line in printed], dtype=float)  # [lines, 5]
for epoch, part in enumerate(np.split(log, 5), 1):
    loss_d, loss_g, d_real, before, after = part.mean(axis=0)
    scores_line = f"D(x) {d_real:.2f}, D(G(z)) {before:.2f} / {after:.2f}"
    print(f"epoch {epoch}: {scores_line}, Loss_D {loss_d:.2f}, Loss_G {loss_g:.2f}")
print(f"line by line D(x) lies between {log[:, 2].min():.2f} and {log[:, 2].max():.2f}")
print(f"the second D(G(z)) is the lower one in {(log[:, 4] < log[:, 3]).sum()} of {len(log)} lines")

# %% slide="D(x) does not come down to one half"
iterations = np.arange(len(log)) * 50
figure, axes = show.new_figure(9, 3.2, ncols=2, sharey=True)
scores = {"D(x)": show.REAL, "D(G(z)) before": show.FAKE, "D(G(z)) after": show.ORANGE}


def draw_scores(ax, title, steps, rows):
    """Three columns of scores over the steps, and their running means over nine rows."""
    for values, (label, color) in zip(rows.T, scores.items()):
        ax.plot(steps, values, color=color, alpha=0.2, lw=1)
        smooth = np.convolve(values, np.ones(9) / 9, "valid")
        ax.plot(steps[4:-4], smooth, color=color, label=label)
    ax.axhline(0.5, color=show.GREY, lw=1, ls=":")
    ax.set(title=title, xlabel="step", ylim=(0, 1))


recorded = runs.find("dcgan-faces-64")  # the course's own run; section 6 replays it
history = recorded.history
every_50th = np.searchsorted(history["step"], np.arange(0, history["step"][-1], 50))  # as the tutorial
ours = np.stack([history[column][every_50th] for column in ("d_real", "d_fake", "d_fake_after")], axis=1)
draw_scores(axes[0], "the tutorial's printed log", iterations, log[:, 2:5])
draw_scores(axes[1], "the course's recorded run, drawn faces", history["step"][every_50th], ours)
axes[0].set_ylabel("mean score")
figure.legend(*axes[0].get_legend_handles_labels(), loc="outside upper center", ncols=3)
first, last = ours[:20].mean(axis=0), ours[-20:].mean(axis=0)
print(f"the course's run, first 20 lines: D(x) {first[0]:.2f}, D(G(z)) {first[1]:.2f} / {first[2]:.2f}")
print(f"                   last 20 lines: D(x) {last[0]:.2f}, D(G(z)) {last[1]:.2f} / {last[2]:.2f}")
smooth = np.convolve(log[:, 2], np.ones(9) / 9, "valid")
show.figure(
    figure,
    f"Mean scores over the steps. The tutorial's smoothed D(x) wanders between {smooth.min():.2f} and "
    f"{smooth.max():.2f}, far above D(G(z)). In the course's recorded run D(x) ends near {last[0]:.2f} and "
    f"D(G(z)) before D's step near {last[1]:.2f}.",
)

# %% [markdown]
# What really happened in the tutorial's run:
#
# - D(x) did **not** start near 1. The first line says 0.57: an untrained D says about one half to everything. It *jumped* to 0.94 within fifty steps.
# - From then on it moved little: 0.80 in the first epoch, 0.73 in the fifth, and the fourth was higher than the third. At that pace it would take a dozen epochs more to reach one half, if it is a pace at all.
# - D(G(z)) after D's step did rise, from 0.04 to 0.16. Loss_D stayed between 0.59 and 0.79, about half of the 1.386 of an undecided D.
# - Line by line, D(x) swings between 0.22 and 0.98. Single lines mean little; read means.
#
# The prediction describes the *equilibrium* of lesson 01. The tutorial's run was stopped long before it, with D ahead; where the course's run ended, the two lines above the figure say. So D(x) = 0.5 is nothing to wait for. A working rule instead, to be tried in a moment: health is a D that is **ahead and not certain**.
#
# ### Exercise 4.3 · A rule for a glance
# Difficulty ●●○○○ · 10 minutes · why it matters: you will look at hundreds of such lines, and a rule written down can be wrong in public.
#
# Turn that sentence into code. Given the columns D(x) and D(G(z)) before D's step of a log with a line every 50 steps, judge by the *means over the last 20 lines*: `"D has won"` if D(x) is above 0.95 and D(G(z)) below 0.05; `"D cannot tell"` if they differ by less than 0.1; `"contest"` otherwise.
#
# <details><summary>Hint 1</summary>
#
# Two numbers decide everything: the mean of each column's last 20 values. Work them out first.
#
# </details>
# <details><summary>Hint 2</summary>
#
# `d_real[-20:]` are the last 20; `np.mean` takes their mean.
#
# </details>
# <details><summary>Hint 3</summary>
#
# The difference has no sign: `abs(real - fake) < 0.1`. And both conditions of "D has won" have to hold.
#
# </details>

# %%
def glance(d_real, d_fake):
    """'D has won', 'D cannot tell' or 'contest', by the means over the last 20 lines."""
    # solution
    real, fake = np.mean(d_real[-20:]), np.mean(d_fake[-20:])
    if real > 0.95 and fake < 0.05:
        return "D has won"
    return "D cannot tell" if abs(real - fake) < 0.1 else "contest"
    # end solution


# %%
lesson_04.exercise_3(glance)

# %%
# NBVAL_CHECK_OUTPUT
print("the tutorial's run:", glance(log[:, 2], log[:, 3]))
print("the course's run:  ", glance(ours[:, 0], ours[:, 1]))

# %%
live_log = np.array([read_line(line) for line in lines], dtype=float)
print(f"your live run, {len(lines)} lines:", glance(live_log[:, 2], live_log[:, 3]))

# %% [markdown]
# A verdict of *D has won* is a warning and no more: where it stands beside the course's run, hold it against that run's pictures in sections 6 and 7. Lesson 06 meets runs that fail, and finds out what such a rule overlooks.
#
# ## 6 · A longer run
#
# The live run was short. Here is a longer one, recorded; its card says by which command it was made, on which pictures and for how long.

# %%
card, standard = recorded.card, recipes.get(recorded.recipe.key).as_dict()
changed = {name: value for name, value in recorded.recipe.as_dict().items() if value != standard[name]}
options = "".join(f" --set {name}={value}" for name, value in changed.items())
print(f"python -m gan_course train {recorded.recipe.key}{options} --seed {card['seed']} --images {card['images']}")
different = f"{card['data']['images']:,} different {card['data']['name']}"
print(f"{card['images']:,} images ({different}), {recorded.card['step']:,} steps at width {recorded.recipe.width:g}")
print(f"{card['seconds'] / 60:.0f} minutes on {card['device']} with torch {card['versions']['torch']}")

# %% slide="The recorded run, from noise to faces"
widgets.training_player(recorded)

# %% [markdown]
# **Predict:** what can be told first in a picture, and what last: the outline of a head, hair, eyes, glasses? Section 1 says how often each occurs. Then look: five of the fixed latents, each row one of them, after so many images.

# %% slide="What nearly every picture has, and large, comes before what is small"
frames, side, gap = recorded.frames, recorded.recipe.size, 2
blocks = {}
for i in np.geomspace(1, len(frames), 7).round().astype(int) - 1:  # closer together at the beginning
    step, frame = frames[i]
    column = [frame[gap + n * (side + gap) :][:side, gap : gap + side] for n in range(5)]
    blocks[f"{watch.seen(recorded, step):,}"] = torch.from_numpy(np.stack(column)).permute(0, 3, 1, 2)
show.beside(
    blocks,
    f"Five fixed latents in rows, drawn after {', '.join(blocks)} images: grey on the left, faces on the right.",
    columns=1,
)

# %% [markdown]
# Go along each row, and note the first picture in which you are sure of each thing. In the run that stands here heads and dark hair show first, eyes only after them: what nearly every training picture has, and large, comes before what is small. Whether glasses come last you can say only of a latent that gets some. And a latent need not keep its face: compare neighbours. And five faces of one run are no law: in a running notebook the player above steps through all 64.
#
# ## 7 · Real beside generated
#
# New latents, pictures nobody has seen. **Where would you look** to tell the two sides apart?

# %% slide="Look at what comes in pairs: eyes, lenses, earrings"
made = sampling.sample(recorded.generator(device), 18, seed=1)
reference = portraits.draw(18, 64, first=1_000).images
show.beside(
    {"drawn faces": reference, f"generated after {card['images']:,}": made},
    "Left: 18 drawn faces. Right: 18 generated ones, to be compared in pose, hair, eyes and glasses.",
)

# %% [markdown]
# Look at what comes in *pairs* (two eyes, two lenses, two earrings) and at straight edges. By lesson 03's arithmetic one pixel of the last map, 32 × 32, reaches 4 pixels of the picture across, one at 16 × 16 reaches 10, and one at 8 × 8 reaches 22. That the left eye matches the right one across the nose has to be arranged by the early layers.
#
# ## 8 · To 96 and 128 pixels
#
# Two texts go beyond 64 pixels. A review of a DCGAN script (it begins *您的代码实现了一个标准的 DCGAN*, "your code implements a standard DCGAN"; *the review* from here on) describes a generator that keeps everything up to 32 × 32 and then jumps to 96 in a single layer, k5 s3 p1. Notes on a larger DCGAN (*Generator设计思路*, "Design of the generator") double once more, to 128, with wider networks throughout.
#
# ### Exercise 4.4 · What a layer costs
# Difficulty ●●○○○ · 10 minutes · why it matters: parameters tell you about memory, operations about time, and they are not proportional.
#
# Count the floating-point operations (a multiplication and an addition are two) of a transposed convolution for *one* picture: for each input pixel, each input channel is multiplied with a *k* × *k* window for each output channel, and the products are added up. Ignore what the padding cuts off.
#
# <details><summary>Hint 1</summary>
#
# How many multiplications does *one* input pixel of *one* channel take part in? How many such pixels and channels are there?
#
# </details>
# <details><summary>Hint 2</summary>
#
# A window of *k* × *k* for each output channel; *n* × *n* pixels; each product is added to something, so everything counts twice.
#
# </details>

# %%
def operations(channels_in, channels_out, kernel, size_in):
    """Floating-point operations of one transposed convolution for one picture of size_in × size_in."""
    # solution
    return 2 * size_in**2 * channels_in * channels_out * kernel**2
    # end solution


# %%
lesson_04.exercise_4(operations)

# %% slide="Weights sit in the first layers; operations are spread evenly"
figure, axes = show.new_figure(9, 3.4, ncols=3)
for ax, size in zip(axes, (64, 96, 128)):
    G, _ = networks.build("dcgan-faces", channels=3, size=size)
    layers = [layer for layer in G.modules() if isinstance(layer, nn.ConvTranspose2d)]
    inputs = [1, *(4 * 2**i for i in range(len(layers) - 1))]  # pixels, by layer
    cost = [
        operations(layer.in_channels, layer.out_channels, layer.kernel_size[0], n) / 1e6
        for layer, n in zip(layers, inputs)
    ]
    weights = [c.weight.numel() / 1e6 for c in layers]
    places = np.arange(len(layers))
    ax.bar(places - 0.2, np.array(weights) / sum(weights), 0.4, color=show.ORANGE, label="weights")
    ax.bar(places + 0.2, np.array(cost) / sum(cost), 0.4, color=show.BLUE, label="operations")
    ax.set(title=f"{size} px: {sum(weights):.1f} M\n{sum(cost):,.0f} MFLOP", ylim=(0, 0.95))
    ax.set_xticks(places, inputs)
    ax.set_xlabel("pixels that go in")
axes[0].set_ylabel("share of the whole generator")
axes[0].legend()
show.figure(
    figure,
    "Share of weights and operations by layer, named by its input size. Most weights lie in the first two layers; "
    "operations are equal in all layers but the first and the last, which need few.",
)

# %% [markdown]
# From one layer to the next both channel counts are halved and the side is doubled: a quarter of the weights, four times the pixels, the same operations. The exceptions are the first layer, which sees a single pixel, and the last, which makes only three channels.
#
# A training step costs more than one pass through G. PyTorch can count it while it happens, backward passes included. **Predict** the ratio of 128 to 64 pixels. (Compare layers of the same side: at 128 px each has twice the channels in and out; and there is one doubling more.)

# %%
cost = {}
for key in ("dcgan-faces-64", "dcgan-faces-96", "dcgan-faces-128"):
    recipe = recipes.get(key).but(batch=here.pick(ci=4, cpu=16, colab=128, full=128))
    recipe = recipe.but(width=here.pick(ci=0.125, cpu=1.0, colab=1.0, full=1.0))
    trial = GAN(recipe, seed=SEED, device=device)
    batch = portraits.draw(recipe.batch, recipe.size).images
    real = data.to_signed(batch).to(device)
    with FlopCounterMode(display=False) as counter:
        training.train_step(trial, real)
    seconds, adam = [], []
    for _ in range(here.pick(ci=2, cpu=5, colab=20, full=20)):
        begin = time.perf_counter()
        training.train_step(trial, real)["loss_d"].item()  # waits for the result
        between = time.perf_counter()
        trial.opt_g.step()
        trial.opt_d.step()
        next(trial.D.parameters()).sum().item()
        seconds.append((between - begin) / recipe.batch)
        adam.append((time.perf_counter() - between) / recipe.batch)
    weights = networks.count_parameters(trial.G), networks.count_parameters(trial.D)
    cost[recipe.size] = counter.get_total_flops() / recipe.batch, np.median(seconds), np.median(adam), *weights

# %%
print(" px   weights of G and D     GFLOP an image × 64 px   ms an image × 64 px   Adam alone   hours for 1,013,000")
for size, (flops, seconds, adam, weights_g, weights_d) in cost.items():
    print(
        f"{size:3d}  {weights_g:10,} {weights_d:10,}  {flops / 1e9:14.3f} {flops / cost[64][0]:7.2f}"
        f"   {1e3 * seconds:11.1f} {seconds / cost[64][1]:7.1f}   {1e3 * adam:7.1f} ms"
        f"   {1_013_000 * seconds / 3600:9.1f}"
    )

# %% [markdown]
# (1,013,000 images are the tutorial's five epochs of CelebA.) 128 pixels take about six times the operations: four times for each layer of the same side, and a doubling more at both ends. At 96 pixels and full width there are hardly more operations than at 64, because up to 32 × 32 it is the same network; only the first layer of D and the last of G look at more pixels.
#
# Now compare the two columns of ratios. Time need not grow as the operations do. One part that operations do not count is Adam: it moves every weight in every step, however small the batch, and at full width D alone has 45 million of them at 128 pixels; its own column says how much that is here. What neither explains is the machine's: how well its library computes layers of these shapes.
#
# ### Exercise 4.5 · A head for 96 pixels
# Difficulty ●●●○○ · 15 minutes · why it matters: it is one line of a network, and it decides whether every picture starts with a grid.
#
# The printed last layer for 96 pixels is k5 s3 p1. By the counting of lesson 03 it covers its outputs unevenly:

# %%
# NBVAL_CHECK_OUTPUT
print("k5 s3 p1:", *sizes.overlaps(32, 5, 3, 1)[:12].tolist(), "…")

# %% [markdown]
# And lesson 03 found a second cause of patterns, which an even count does not mend: with stride 3 each of the 3 × 3 places has weights of its own. Write a head that takes 64 channels at 32 × 32 to 3 channels at 96 × 96, mixes neighbouring pixels, and is free of both: **flat in, flat out**. Where all input pixels are alike, all output pixels (away from the edge) are alike, *whatever the weights*. (Lesson 03 met `nn.Upsample`.) No activation: the course adds the Tanh.
#
# <details><summary>Hint 1</summary>
#
# Which operation uses the *same* weights for every output pixel, whatever its place?
#
# </details>
# <details><summary>Hint 2</summary>
#
# A convolution with stride 1. But it does not enlarge: so enlarge with something that has no weights, and do it first, so that the convolution can smooth the blocks.
#
# </details>
# <details><summary>Hint 3</summary>
#
# Two layers in an `nn.Sequential`: `nn.Upsample(scale_factor=3)`, then an `nn.Conv2d` from 64 to 3 channels with an odd kernel above 1, and the padding that keeps the size.
#
# </details>

# %%
def flat_head():
    """A module: [N, 64, 32, 32] to [N, 3, 96, 96], flat where its input is flat."""
    # solution
    return nn.Sequential(nn.Upsample(scale_factor=3), nn.Conv2d(64, 3, 5, 1, 2, bias=False))
    # end solution


# %%
lesson_04.exercise_5(flat_head)

# %% [markdown]
# ## 9 · Three causes of a grid, and what training leaves of it
#
# Untrained first: three heads with the same input as after a ReLU, and the share of the power in patterns of period 3 (as lesson 03 measured it), in the middle of the picture, away from the edge. The first head covers its outputs unevenly, the second evenly, the third is yours. The review draws the weights of transposed convolutions from N(0.01, 0.02), "to avoid exploding gradients", and the course's recipe for 96 pixels does as it says; the DCGAN paper takes a mean of 0. So try both means on *all three* heads, nothing else changed.
#
# **Predict** from lesson 03: with mean 0, which of the three has the strongest pattern, which has none? And where can a mean of 0.01, which adds the same to every weight, make a difference?

# %% slide="Unequal weights make a grid; with a mean of 0.01 unequal counts do, too"
heads = {
    "k5 s3 p1": lambda: nn.ConvTranspose2d(64, 3, 5, 3, 1, bias=False),
    "k3 s3": lambda: nn.ConvTranspose2d(64, 3, 3, 3, bias=False),
    "yours": flat_head,
}
blocks, untrained = {}, {}
for mean in (0.0, 0.01):
    for name, make in heads.items():
        found = []
        for seed in range(5):
            torch.manual_seed(seed)
            features, head = torch.randn(16, 64, 32, 32).relu(), make().float()
            with torch.no_grad():
                head(features[:1])  # a lazy layer takes its shape
                for weight in head.parameters():
                    nn.init.normal_(weight, mean, 0.02)
                middle = head(features)[:, :, 9:87, 9:87]
            found.append(patterns.periodic_power(data.to_uint8(middle / middle.abs().max()), period=3))
        untrained[name, mean] = float(np.median(found))
        part = middle[:2, :, :36, :36]
        blocks[f"{name}, {mean:g}"] = data.to_uint8(2 * (part - part.min()) / (part.max() - part.min()) - 1)
        print(
            f"{name:8s} mean {mean:<4g}  {untrained[name, mean]:6.2%} of the power "
            f"(median of 5 draws, {min(found):.2%} to {max(found):.2%})"
        )
show.beside(
    blocks,
    "Two untrained outputs of each head for both means, stretched to the full range: with mean 0 both transposed "
    "heads are speckled alike; with mean 0.01 only k5 s3 p1 shows a regular grid; yours has patches without any.",
    columns=2,
)

# %% [markdown]
# With mean 0 the two transposed heads have about a third of their power in the pattern each, although one covers its outputs evenly and the other does not: as in lesson 03, it is the *unequal weights* of the nine places that make it. The mean adds a third cause. Its part of an output is the mean times the sum of all inputs that reach it, so it is larger where more inputs do: *unequal counts*, which hardly mattered by themselves, now print a regular grid, the same into every picture (k5 s3 p1). Where the counts are equal it adds the same everywhere, and no pattern (k3 s3, yours). The kernel alone, or the mean alone, would not have made that grid.
#
# And after training? Lesson 03 saw the pattern go on digits. Here are the course's recorded runs, each with a generator as it started and with drawn faces, which say what is normal.

# %% slide="Training takes most of the grid away, not always all of it"
shares, blocks = {}, {}
for name, period in (("dcgan-faces-64", 2), ("faces-96", 3), ("faces-128", 2)):
    run, how_many = runs.find(name), here.pick(ci=64, cpu=500, colab=500, full=500)
    size = run.recipe.size
    made = sampling.sample(run.generator(device), how_many, seed=2)
    fresh = sampling.sample(GAN(run.recipe, seed=run.card["seed"], device=device).average, 64, seed=2)
    drawn = portraits.draw(how_many, size).images
    shares[size] = [patterns.periodic_power(images, period) for images in (fresh, made, drawn)]
    factor = shares[size][1] / shares[size][2]
    left = "no more than" if factor <= 1 else f"{factor:.1f} times as much as"
    print(f"{size} px, period {period}: {run.card['images']:,} images at width {run.recipe.width:g}")
    print("    untrained {:.1%}, trained {:.3%}, drawn faces {:.3%} of the power: ".format(*shares[size]), end="")
    print(f"{left} drawn faces")
    if size > 64:
        blocks[f"generated, {size} px"] = made[:3]
    if size == 96:
        of_96 = {"drawn faces": drawn, "generated": made}
show.beside(
    blocks,
    f"Three generated faces at 96 pixels and three at 128. The grid's share of the power is {shares[96][1]:.2%} at 96 "
    f"pixels and {shares[128][1]:.2%} at 128; drawn faces have {shares[96][2]:.2%} and {shares[128][2]:.2%}.",
    columns=3,
)

# %% [markdown] slide="A head that enlarges and convolves keeps no grid of its own"
# In all three runs training has taken most of the grid away, and the last words of each line say whether something has stayed. Look for it on the flat backgrounds, where nothing hides it. Lesson 03's "D has taught it away" was true of its digits and is no law: the last layer is k4 s2 p1 at 64 pixels and at 128, so where these two lines differ, the layer alone is not the reason. The runs also differ in size, width, labels and how much they have seen; three of them cannot say which of these it is.
#
# What a head does can be said better where the rest is the same. Two heads trained side by side (96 pixels, a quarter of the width, batches of 32, two seeds each; first weights of the recipe, so a mean of 0.01 for transposed convolutions and of 0 for others), share of the power at period 3:
#
# | after | k5 s3 p1 | enlarge, then convolve | drawn faces |
# |---|---|---|---|
# | 12,000 images | 26 % and 42 % | 0.01 % and 0.01 % | 0.12 % |
# | 24,000 | 2.8 % and 3.9 % | 0.03 % and 0.03 % | |
# | 48,000 | 1.8 % and 1.5 % | 0.02 % and 0.03 % | |
#
# The other head is free of this pattern, more than even the drawn faces are; the coarser grids that come from the layers before it (period 6, 12 and so on) stay. And it is not free: the same 48,000 images took 1.7 times as long, because it convolves at 96 × 96 where the other works at 32 × 32. Your `operations` says what that means for the head alone (for a convolution with stride 1 the pixels that come out count):

# %%
transposed, enlarged = (float(operations(64, 3, 5, n)) / 1e6 for n in (32, 96))
print(f"k5 s3 p1: {transposed:.0f} million operations a picture; enlarged, then k5 s1: {enlarged:.0f} million")

# %% [markdown]
# StyleGAN (Karras et al., 2019), for one, enlarges and convolves all the same. The review advises another way, k4 s2 p1 up to 64 or 128 pixels; what that leaves, the first and the third run above have said.
#
# The review warns of something else: stride and kernel of this layer do not match, and so artefacts *at the edge* are to be feared. Look at how much each pixel varies from picture to picture, and compare the uppermost rows with their counts.

# %%
spread = {name: data.to_signed(images).std(dim=0).mean(0) for name, images in of_96.items()}
figure, axes = show.new_figure(9, 3.4, ncols=3, width_ratios=(1, 1, 1.2))
for ax, (name, values) in zip(axes, spread.items()):
    ax.imshow(values, cmap="gray", vmin=0, vmax=0.7)
    ax.set(title=name, xticks=[], yticks=[])
    ax.grid(False)
print("row              ", *(f"{row:5d}" for row in range(6)))
print("inputs, each axis", *(f"{count:5d}" for count in sizes.overlaps(32, 5, 3, 1)[:6].tolist()))
edge = {}
for name, color in (("drawn faces", show.REAL), ("generated", show.FAKE)):
    rows = spread[name].mean(1)
    axes[2].plot(rows[:12], color=color, label=name, marker="o")
    edge[name] = (rows[0] / rows[1]).item()
    print(f"{name:17s}", *(f"{value:5.2f}" for value in rows[:6].tolist()), f"  row 0 : row 1 = {edge[name]:.2f}")
axes[2].set(title="the uppermost rows", xlabel="row", ylim=(0, 0.6))
axes[2].legend(loc="lower right")
show.figure(
    figure,
    "How much every pixel varies from picture to picture at 96 pixels, drawn and generated, and the mean of each "
    f"of the uppermost rows: in generated faces the first varies {edge['generated']:.2f} times as much as the second, in "
    f"drawn ones {edge['drawn faces']:.2f} times.",
)

# %% [markdown]
# Drawn faces vary as much in the first row as in the second; how far the generated ones are from that, the ratios say. But are the counts to blame? Rows 0, 1 and 4 are made of one input each along this axis, rows 2, 3 and 5 of two. If counts decided, rows 0 and 1 would be alike. What sets them apart must be something else: every row in three has weights of its own, and all layers before this one, in G and in D, end at an edge of zeros as well.
#
# ## 10 · Your pictures, your size
#
# ### Exercise 4.6 · From photographs to a verdict
# Difficulty ●●●●○ · 40 minutes · why it matters: it is what you will do with pictures of your own, from the folder to the first judgement of a run.
#
# Nobody has printed a network for 80 × 80 faces, and pictures come in all shapes. Write the three parts around the training loop, with what you have:
#
# - `prepare(pictures, size)`: a list of pictures, `uint8` [3, height, width] of any shapes, becomes one tensor `uint8` [N, 3, size, size] of what Resize and CenterCrop keep;
# - `generator_80()`: z [N, 100] becomes pictures [N, 3, 80, 80] in −1 … 1, with at most 40 million operations a picture, and its last enlargement leaves no grid of its own;
# - `verdict(lines)`: a log as a list of texts, lines of telemetry and others, becomes one of the three verdicts of exercise 4.3.
#
# <details><summary>Hint 1</summary>
#
# Each part has its exercise: 4.1 for the square, 4.5 and 4.4 for the generator (and lesson 03 for its sizes), 4.2 and 4.3 for the log. How often can 80 be halved?
#
# </details>
# <details><summary>Hint 2</summary>
#
# Cut out `picture[:, top:bottom, left:right]` (rows first, whole numbers), then `F.interpolate(square[None].float(), (size, size), mode="bilinear", antialias=True)` scales it; `torch.cat` makes one tensor; round, and `.to(torch.uint8)`. For the log: leave out the lines for which `read_line` gives `None`, *before* the last 20 are taken.
#
# </details>
# <details><summary>Hint 3</summary>
#
# 80 = 5 · 2⁴: k5 s1 p0 makes 5 × 5 of 1 × 1, then k4 s2 p1 three times up to 40 × 40, and a flat head doubles once more. What does a head of kernel 3 cost at 80 × 80 from 64 channels, and what from 16?
#
# </details>

# %%
def prepare(pictures, size):
    """uint8 [N, 3, size, size]: the middle squares of pictures uint8 [3, height, width] of any shapes."""
    # solution
    squares = []
    for picture in pictures:
        left, top, right, bottom = (round(float(place)) for place in kept(picture.shape[2], picture.shape[1]))
        square = picture[None, :, top:bottom, left:right].float()
        squares.append(F.interpolate(square, (size, size), mode="bilinear", antialias=True))
    return torch.cat(squares).round().to(torch.uint8)
    # end solution


def generator_80():
    """A generator of pictures [N, 3, 80, 80] in -1 … 1 from z [N, 100]."""
    # solution
    def up(a, b, kernel=4, stride=2, padding=1):
        return nn.ConvTranspose2d(a, b, kernel, stride, padding, bias=False), nn.BatchNorm2d(b), nn.ReLU()

    return nn.Sequential(
        nn.Unflatten(1, (100, 1, 1)),
        *up(100, 128, 5, 1, 0),  # 5 × 5
        *up(128, 64),  # 10 × 10
        *up(64, 32),  # 20 × 20
        *up(32, 16),  # 40 × 40
        nn.Upsample(scale_factor=2),
        nn.Conv2d(16, 3, 3, 1, 1, bias=False),  # 80 × 80
        nn.Tanh(),
    )
    # end solution


def verdict(lines):
    """'D has won', 'D cannot tell' or 'contest', by the telemetry among the lines of a log."""
    # solution
    rows = np.array([numbers for line in lines if (numbers := read_line(line)) is not None], dtype=float)
    return glance(rows[:, 2], rows[:, 3])
    # end solution


# %%
lesson_04.exercise_6(prepare, generator_80, verdict)

# %% [markdown]
# Now all of it together. The pictures stand in for photographs: drawn faces, half of them upright and half of them across. (A folder of your own works as well: `data.load("faces", 80, path=...)` does what your `prepare` does.) D goes the way back; rates and batches are those of the recorded run.

# %%
large = portraits.draw(here.pick(ci=64, cpu=3_000, colab=20_000, full=20_000), 128).images
photographs = [p[:, :, 12:116] if i % 2 else p[:, 12:116] for i, p in enumerate(large)]
print("shapes:", *sorted({tuple(p.shape) for p in photographs}))
prepared = prepare(photographs, 80)


def down(a, b):
    return nn.Conv2d(a, b, 4, 2, 1, bias=False), nn.BatchNorm2d(b), nn.LeakyReLU(0.2)


discriminator_80 = nn.Sequential(
    *(nn.Conv2d(3, 16, 4, 2, 1, bias=False), nn.LeakyReLU(0.2)),  # 40 × 40
    *(*down(16, 32), *down(32, 64), *down(64, 128)),  # 20 × 20, 10 × 10, 5 × 5
    *(nn.Conv2d(128, 1, 5, 1, 0, bias=False), nn.Flatten(0)),
)
own_recipe = recorded.recipe.but(
    key="faces-80", network="mlp", size=80, batch=32, average_half_life=2_000, precision="float32"
)
own = GAN(own_recipe, seed=SEED, device=device, networks=(generator_80().float(), discriminator_80))
until = here.pick(ci=10, cpu=1_000, colab=4_000, full=10_000)
own_log = ["training begins"]
for _ in training.train(own, prepared, until):
    own_log.append(own.history.line())

# %% slide="From photographs of any shape to 80 × 80 faces"
by_yours = sampling.sample(own.average, 128, seed=1)
print(*own_log[:-1:5], own_log[-1], f"verdict: {verdict(own_log)}", sep="\n")
for name, images in (("prepared", prepared[:128]), ("yours", by_yours)):
    print(f"{name:8s} {patterns.periodic_power(images, period=2):.3%} of the power at period 2")
show.beside(
    {"prepared": prepared[:12], "yours": by_yours[:12]},
    "Left: drawn faces, cut to squares and scaled to 80 pixels. "
    f"Right: what your generator makes after {own.images:,} images.",
    columns=6,
)

# %% [markdown]
# Do not expect section 7's faces of so short a run. What you can judge already is what this lesson was about: are foreheads and chins inside the squares, is D ahead and not certain, does a grid of period 2 stay away, and are the coarser ones, from the layers before your head, still there? Change one thing (the head, the rates, the width where the picture is small), and read the log again, over more than one seed.

# %% tags=["showed"]
print(f"the tutorial's own D(x): {log[:32, 2].mean():.2f} in epoch 1, {log[-32:, 2].mean():.2f} in epoch 5, not 0.5;")
seen = recorded.card["images"]
print(f"recorded run on {card['data']['name']}: {seen:,} images; live: {gan.images:,} at width {small.width:g};")
more, longer = (cost[128][i] / cost[64][i] for i in (0, 1))
print(f"128 px costs {more:.1f} × the operations and {longer:.1f} × the time of 64 px;")
print("period 3 at 96 px: {:.0%} of the power untrained, {:.2%} trained, {:.2%} drawn".format(*shares[96]))

# %% [markdown]
# ## What to remember
#
# - A set of faces has terms, a population, and people in it who may never have been asked. Count and say it before you train.
# - Decode once, keep bytes, scale on the device.
# - Read means, not lines. D(x) of one half is nothing to wait for; a D that is ahead and not certain is a good sign, and the pictures decide.
# - Operations grow with pixels *and* channels; weights only with channels.
# - A transposed last layer starts with a grid, from unequal weights, and from unequal counts where the weights' mean is not 0; one that enlarges first and convolves after does not.
#
# ## Ask yourself
#
# <details><summary>Loss_D is 0.02 and falling, D(x) is 0.99, D(G(z)) is 0.00. Is the run going well?</summary>
# By the rule of exercise 4.3 D has won. That is a reason to look, not yet a failure: with the loss used here G's gradient does not vanish under a D that is ahead (lesson 02, section 6). Look at the pictures, at more lines, and at whether the means still move.
# </details>
#
# <details><summary>Why is the second D(G(z)) of a line usually lower than the first?</summary>
# It is measured on the same pictures after D has taken a step that pushes their scores down, along with everything else it does.
# </details>
#
# <details><summary>A head k3 s3 starts from N(0.01, 0.02). Why does the mean not strengthen its grid?</summary>
# Every output is reached by exactly one input, so the mean adds the same to all of them. It needs unequal counts to show.
# </details>
#
# <details><summary>A friend trains on CelebA and wants to publish a grid of real beside generated faces. May they?</summary>
# The real half is a part of CelebA, which its terms forbid to pass on; they need another set or the generated half alone. And a generated face can still look like somebody in the training set.
# </details>
#
# <details><summary>Your pictures are 178 × 218 and you want 128 × 128. Which part of each is lost?</summary>
# The same as at 64: the square of the middle 178 × 178 is kept, 20 rows are lost at the top and 20 at the bottom.
# </details>
#
# ## Appendix · What makes the loop fast
#
# The loop that everybody writes first, the tutorial's, and the course's do the same arithmetic. Between them lie six changes:
#
# - **Images on the device, as bytes.** No file is opened, decoded and scaled in every epoch again.
# - **Telemetry read late.** Each `.item()` makes the program wait for the device. A CPU has nothing to wait for; on a GPU it is another matter.
# - **Losses on logits.** Safer first of all (lesson 02), and one pass less.
# - **D frozen in G's step.** G needs the gradient that comes *through* D, not the one of D's weights; at 64 pixels about a twelfth of the step's operations fall away.
# - **Channels last.** The numbers of one pixel lie side by side, as the convolutions of the CPU's library (and tensor cores) want them.
# - **Fused Adam.** One pass over the weights instead of a dozen.
#
# `python notebooks/tools/bench.py dcgan-faces-64 --ladder` in the course's folder switches them on one after another and lets all versions run in turns. Below is what it said on two cores, for batches of 128 faces and for batches of four digits (least squares, so the third change does not apply); *your* machine will say something else. **Predict** for each: which change brings most, and which nothing?

# %%
for bench in json.loads((files.assets_dir() / "benchmarks.json").read_text()):
    if len(bench["lines"]) > 6 and bench["recipe"]["key"] in ("dcgan-faces-64", "dcgan-mnist"):
        rows = [("loop", "images/s", "ratio", "spread", "of matmul")]
        for line in bench["lines"]:
            rate, ratio, share = f"{line['rate']:,.0f}", f"{line['ratio']:.2f}", f"{line['share']:.0%}"
            rows.append((line["name"], rate, ratio, f"{line['lowest']:.2f} to {line['highest']:.2f}", share))
        where = ", ".join(f"{key} {bench['evidence'][key]}" for key in ("date", "device", "cpu", "torch", "rounds"))
        print(bench["title"], where, terminal.aligned(rows, numbers=True), sep="\n")
        ladder = [line for line in bench["lines"] if "batch" not in line["name"] and "package" not in line["name"]]
        gains = {b["name"]: b["ratio"] / a["ratio"] for a, b in zip(ladder, ladder[1:]) if b["name"] != "its step alone"}
        most, least = max(gains, key=gains.get), min(gains, key=gains.get)
        print(f"most: {most}, × {gains[most]:.2f}; least: {least}, × {gains[least]:.2f}\n")

# %% [markdown]
# Before you trust a single step, look at its spread: neighbours whose spreads overlap widely are not told apart by these rounds.
#
# The column on the right compares with the rate of plain matrix products on the same machine, counting the operations that a step *needs*: where it is near 100 %, the arithmetic itself is the limit, and no trick is left. Where it is far below, as for batches of four, the time goes into everything around it, and a larger batch gains more than all the changes together: compare the last lines of the second table.

# %% [markdown]
# ### Where the time of a step goes
#
# A step is several hundred operations. Each has arithmetic to do, at best at the pace of large matrix products, and bytes to read and write, at best in one pass. For each operation take the longer of the two, add them all up, and you have a *limit* for the step (after the roofline of Williams, Waterman and Patterson, 2009). `python notebooks/tools/account.py` measures both paces and then every operation, by what it does. **Predict**: which recipe stands nearest to its limit, which farthest, and what fills the rest?

# %% slide="Small batches and narrow networks stand farthest from their limit"
accounts = json.loads((files.assets_dir() / "accounts.json").read_text())
evidence = accounts[0]["evidence"]
print(", ".join(f"{key} {evidence[key]}" for key in ("date", "device", "cpu", "torch")))
rows = [("recipe", "batch", "ms a step", "at least", "limit / step", "largest loss")]
figure, ax = show.new_figure(9, 0.25 * len(accounts) + 1.5)
for place, account in enumerate(reversed(accounts)):
    left, colours = 0.0, (show.BLUE, show.SKY, show.ORANGE, show.GREEN, show.RED, show.PINK, show.GREY)
    for (part, spent), colour in zip(account["parts"].items(), colours):
        width = spent["ms"] / account["step"]
        ax.barh(place, width, left=left, color=colour, label=part if place == 0 else None)
        left += width
    reached = account["limit"] / account["step"]
    ax.plot([reached, reached], [place - 0.45, place + 0.45], color="black", linewidth=3)
for account in accounts:
    recipe, reached = account["recipe"], account["limit"] / account["step"]
    losses = {part: spent["ms"] - spent["limit"] for part, spent in account["parts"].items()}
    worst = max(losses, key=losses.get)
    numbers = f"{account['step']:.1f}", f"{account['limit']:.1f}", f"{reached:.0%}"
    rows.append((recipe["key"], str(recipe["batch"]), *numbers, f"{worst}, {losses[worst] / account['step']:.0%} of the step"))
print(terminal.aligned(rows))
ax.set_yticks(range(len(accounts)), [account["recipe"]["key"] for account in reversed(accounts)])
ax.set_xlabel("share of the step's time; black: its limit")
ax.set_xlim(0, 1)
figure.legend(loc="outside upper center", ncols=3)
nearest = max(accounts, key=lambda account: account["limit"] / account["step"])["recipe"]["key"]
farthest = min(accounts, key=lambda account: account["limit"] / account["step"])["recipe"]["key"]
show.figure(
    figure,
    "What the time of a step consists of, a bar a recipe, with a black mark at the least time that it could take. "
    f"Nearest to it is {nearest}, farthest away {farthest}.",
)

# %% [markdown]
# Left of the black mark is what the arithmetic and the memory demand. What lies between the mark and the end of a bar is lost, and the last column names the part that loses most. (A limit of a little more than 100 % is no miracle: the products with the zeros of a convolution's padding are counted, and a good library leaves them out.) Three things to take along:
#
# - Small products do not reach the pace of large ones: there is too little in them to share out, and each has a price of its own, to be found, checked and started. Small batches and narrow networks pay that: look at the rows with batches of 32 or 4. (The last column names the products of `dcgan-faces-128`, too, which are large. So this is not their only way to fall short; which one it is there, the table does not say.)
# - Activations cost a pass over memory each, and a pass brings little arithmetic. Fusing them into the product before them would save the pass; that is what compilers such as `torch.compile` are for.
# - Dropout needs a random number for every activation. In a small network that is a visible part of the time.

# %% [markdown]
# ## Where to read on
#
# - Alec Radford, Luke Metz, Soumith Chintala, *Unsupervised Representation Learning with Deep Convolutional GANs*, 2016, [arXiv:1511.06434](https://arxiv.org/abs/1511.06434).
# - Nathan Inkawhich, *DCGAN Tutorial*, PyTorch, 2018, [pytorch.org/tutorials](https://pytorch.org/tutorials/beginner/dcgan_faces_tutorial.html): the protocol and the printed log of this lesson.
# - Tero Karras, Samuli Laine, Timo Aila, *A Style-Based Generator Architecture for Generative Adversarial Networks*, 2019, [arXiv:1812.04948](https://arxiv.org/abs/1812.04948).
# - Ziwei Liu, Ping Luo, Xiaogang Wang, Xiaoou Tang, *Deep Learning Face Attributes in the Wild*, 2015, [arXiv:1411.7766](https://arxiv.org/abs/1411.7766): CelebA.
# - Timnit Gebru et al., *Datasheets for Datasets*, 2018, [arXiv:1803.09010](https://arxiv.org/abs/1803.09010): what to ask of a data set.
# - Joy Buolamwini, Timnit Gebru, *Gender Shades*, 2018, Proceedings of Machine Learning Research 81: who is missing, measured.
