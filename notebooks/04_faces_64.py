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
# - take the networks to 96 and 128 pixels, and predict what that costs.
#
# | | two CPU cores | Colab T4 |
# |---|---|---|
# | minutes to run it all | about 2 | not measured yet |
# | minutes to read and solve it | about 90 | about 90 |
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
# The DCGAN tutorial of PyTorch trains on **CelebA** (Liu, Luo, Wang and Tang, 2015): 202,599 photographs of about ten thousand celebrities, aligned by the eyes and cut to 178 × 218 pixels, with forty yes-or-no attributes each. Before you use it, know this:
#
# | | CelebA | the course's drawn faces |
# |---|---|---|
# | what | photographs, collected from the web | paintings of nobody, made by a program |
# | consent | none is documented | nobody is in them |
# | you may | use them for non-commercial research | copy, change, publish (CC BY 4.0) |
# | you may not | pass on any part of them, so no CelebA picture stands in this course | – |
# | who is in them | famous people in front of cameras, mostly western and young | whatever the program can draw: traits are rolled independently, unless one decides another (age greys the hair) |
# | who is missing | most of the world | everybody: these are not people |
# | attributes | judged by annotators, "Attractive" among them | thresholds on what was drawn, so exactly true |
#
# A generator repeats its training set. What is rare in it becomes rarer, what is missing stays missing, and a celebrity's face can come out recognisable. With faces that is somebody's concern.
#
# So this lesson runs on **drawn faces** unless CelebA already lies on your machine. `data.load` says which it took. To use CelebA, agree to its terms and run `python -m gan_course data celeba --fetch`, or name a folder or zip of pictures in `GAN_COURSE_CELEBA`. Any folder of pictures will do.

# %%
faces = data.load("faces", 64, count=here.pick(ci=600, cpu=20_000, colab=20_000, full=20_000))
kind = {"drawn-faces": "drawn faces", "celeba": "photographs"}[faces.name]
print(faces.source)
show.grid(faces.images[:48], f"48 {kind} at 64 × 64 pixels from the training set.", columns=16)

# %% [markdown]
# Attributes come with them. **Count before you train**: this is the population that the generator will imitate.

# %%
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
# The tutorial decodes, resizes and crops every JPEG again in every epoch. The course does it once: `data.load` writes all pictures into one file of whole numbers from 0 to 255, in the cache, and maps it into memory. All of CelebA at 64 pixels takes 2.5 GB, decoded once instead of five times. It skips and names damaged files, goes on where it was interrupted, and notices when the folder has changed. On two cores it went through 202,599 stand-ins of CelebA's size in 100 seconds; turn by turn with `ImageFolder` and the tutorial's transforms it was 2.1 times as fast (median of 7 rounds, 1.5 to 2.2), and afterwards there is nothing left to decode.
#
# From here on a batch is a few rows of that tensor, scaled to −1 … 1 on the device.
#
# ## 3 · The networks
#
# Four doublings from 4 to 64 pixels, and the same way back. You can read it off the sizes:

# %%
# NBVAL_CHECK_OUTPUT
G, D = networks.build("dcgan-faces", channels=3, size=64)
for name, network, x in (("G", G, torch.randn(1, 100)), ("D", D, torch.zeros(1, 3, 64, 64))):
    shapes = [shape for layer, shape in sizes.trace(network, x) if layer.startswith("Conv")]
    print(name, " → ".join("×".join(map(str, shape)) for shape in shapes))
    print(f"  {networks.count_parameters(network):,} weights")

# %% [markdown]
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

# %% [markdown]
# The second is usually the lower: D has just taken a step that, among other things, scores these very pictures down. Not always, because the same step serves the real batch and carries Adam's momentum; in the tutorial's own log it is lower in 112 of 160 lines. G works against the second number, so its task is harder than the first suggests.
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
# The tutorial explains its line with a prediction: D(x) *should start close to 1 and, as G gets better, converge to 0.5*. It also prints the log of its own run, five epochs over CelebA. Your function can read it. So we need not believe anybody.

# %%
# NBVAL_CHECK_OUTPUT
printed = (files.assets_dir() / "dcgan-tutorial-log.txt").read_text().splitlines()
print(printed[0].replace("\t", "  "))
log = np.array([read_line(line) for line in printed])  # [lines, 5]
for epoch, part in enumerate(np.split(log, 5), 1):
    loss_d, loss_g, d_real, before, after = part.mean(axis=0)
    scores_line = f"D(x) {d_real:.2f}, D(G(z)) {before:.2f} / {after:.2f}"
    print(f"epoch {epoch}: {scores_line}, Loss_D {loss_d:.2f}, Loss_G {loss_g:.2f}")

# %%
iterations = np.arange(len(log)) * 50
figure, axes = show.new_figure(10, 3.6, ncols=2, sharey=True)
scores = {"D(x)": show.REAL, "D(G(z)) before": show.FAKE, "D(G(z)) after": show.ORANGE}


def draw_scores(ax, title, steps, rows):
    """Three columns of scores over the steps, and their running means over nine rows."""
    for values, (label, color) in zip(rows.T, scores.items()):
        ax.plot(steps, values, color=color, alpha=0.2, lw=1)
        ax.plot(steps[4:-4], np.convolve(values, np.ones(9) / 9, "valid"), color=color, label=label)
    ax.axhline(0.5, color=show.GREY, lw=1, ls=":")
    ax.set(title=title, xlabel="step", ylim=(0, 1))


recorded = runs.find("dcgan-faces-64")  # the course's own run at full width; section 6 replays it
history = recorded.history
every_50th = np.searchsorted(history["step"], np.arange(0, history["step"][-1], 50))  # as the tutorial
ours = np.stack([history[column][every_50th] for column in ("d_real", "d_fake", "d_fake_after")], axis=1)
draw_scores(axes[0], "the tutorial's printed log", iterations, log[:, 2:5])
draw_scores(axes[1], "the course's recorded run, drawn faces", history["step"][every_50th], ours)
axes[0].set_ylabel("mean score")
axes[1].legend(loc="center right")
show.figure(
    figure,
    "Mean scores over the steps. The tutorial's smoothed D(x) wanders between 0.67 and 0.86, D(G(z)) before "
    "D's step between 0.1 and 0.4. In the course's recorded run on drawn faces the curves stay apart as well.",
)

# %% [markdown]
# What really happened:
#
# - D(x) did **not** start near 1. The first line says 0.57: an untrained D says about one half to everything. It *jumped* to 0.94 within fifty steps.
# - From then on it hardly moved: 0.80 in the first epoch, 0.73 in the fifth. At that pace it would not reach one half for a long time, and there is no reason why it should go on falling evenly.
# - D(G(z)) did rise, from 0.04 to 0.16 after D's step, while the pictures became faces. Loss_D stayed around 0.6 to 0.8, half of the 1.386 of an undecided D.
# - Line by line, D(x) swings between 0.22 and 0.98. Single lines mean little; read means.
#
# The prediction describes the *equilibrium* of lesson 01. Real runs are stopped long before it, with D clearly ahead, and make good pictures all the same. Health is not D(x) = 0.5, but a D that is **ahead and not certain**.
#
# ### Exercise 4.3 · A rule for a glance
# Difficulty ●●○○○ · 10 minutes · why it matters: you will look at hundreds of such lines, and a rule written down can be wrong in public.
#
# Turn that sentence into code. Given the columns D(x) and D(G(z)) before D's step of a log with a line every 50 steps, judge by the *means over the last 20 lines*: `"D has won"` if D(x) is above 0.95 and D(G(z)) below 0.05; `"D cannot tell"` if they differ by less than 0.1; `"contest"` otherwise.

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

# %% [markdown]
# Lesson 06 meets runs that fail, and finds out what such a rule overlooks.
#
# ## 6 · The full run
#
# At full width the same takes a CPU hours. This run was made by
#
# ```
# python -m gan_course train dcgan-faces-64 --set draw_every=50 --seed 0 --images 302080
# ```
#
# on the 20,000 drawn faces, and recorded:

# %%
card = recorded.card
different = f"{card['data']['images']:,} different {card['data']['name']}"
print(f"{card['images']:,} images ({different}), seed {card['seed']}")
print(f"{card['seconds'] / 60:.0f} minutes on {card['device']} with torch {card['versions']['torch']}")
watch.replay(recorded, frames=7)

# %% [markdown]
# Faces appear in an order: first a blurred oval on a background, then hair and shoulders as areas of colour, then eyes and mouth, glasses and hats last. Large structure is in nearly every picture and pays off at once; a hat is in one of six.
#
# ## 7 · Real beside generated
#
# New latents, pictures nobody has seen. **Where would you look** to tell the two sides apart?

# %%
made = sampling.sample(recorded.generator(device), 36, seed=1)
reference = portraits.draw(36, 64, first=1_000).images
show.beside(
    {"drawn faces": reference, f"generated after {card['images']:,}": made},
    "Left: 36 drawn faces. Right: 36 generated ones. Pose, hair and colours are right in most; smeared eyes, "
    "broken glasses and blurred faces give many away.",
)

# %% [markdown]
# Look at what comes in *pairs* (two eyes, two lenses, two earrings) and at straight edges. A convolution sees a small window; that the left eye must match the right one across the nose has to be arranged by the early layers, where the picture is 4 or 8 pixels wide.
#
# ## 8 · To 96 and 128 pixels
#
# Two more sources go beyond 64 pixels. One keeps everything up to 32 × 32 and then jumps to 96 in a single layer, k5 s3 p1. The other doubles once more, to 128, with wider networks throughout.
#
# ### Exercise 4.4 · What a layer costs
# Difficulty ●●○○○ · 10 minutes · why it matters: parameters tell you about memory, operations about time, and they are not proportional.
#
# Count the floating-point operations (a multiplication and an addition are two) of a transposed convolution for *one* picture: for each input pixel, each input channel is multiplied with a *k* × *k* window for each output channel, and the products are added up. Ignore what the padding cuts off.

# %%
def operations(channels_in, channels_out, kernel, size_in):
    """Floating-point operations of one transposed convolution for one picture of size_in × size_in."""
    # solution
    return 2 * size_in**2 * channels_in * channels_out * kernel**2
    # end solution


# %%
lesson_04.exercise_4(operations)

# %%
figure, axes = show.new_figure(10, 3.2, ncols=3)
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
    ax.set(title=f"{size} px: {sum(weights):.1f} M, {sum(cost):,.0f} MFLOP", ylim=(0, 0.8))
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
    seconds = []
    for _ in range(here.pick(ci=2, cpu=5, colab=20, full=20)):
        begin = time.perf_counter()
        training.train_step(trial, real)["loss_d"].item()  # waits for the result
        seconds.append((time.perf_counter() - begin) / recipe.batch)
    weights = networks.count_parameters(trial.G), networks.count_parameters(trial.D)
    cost[recipe.size] = counter.get_total_flops() / recipe.batch, float(np.median(seconds)), *weights

# %%
print(" px   weights of G and D         GFLOP an image    ms an image   × 64 px   hours for 1,013,000 images")
for size, (flops, seconds, weights_g, weights_d) in cost.items():
    ratio = seconds / cost[64][1]
    print(
        f"{size:3d}   {weights_g:10,} {weights_d:10,}     {flops / 1e9:8.2f}         {1e3 * seconds:8.1f}"
        f"     {ratio:8.1f}   {1_013_000 * seconds / 3600:8.1f}"
    )

# %% [markdown]
# (1,013,000 images are the tutorial's five epochs of CelebA.) 128 pixels take about six times the operations: four times for each layer of the same side, and a doubling more at both ends. At 96 pixels there are hardly more operations than at 64, because up to 32 × 32 it is the same network; only the first and the last layer look at more pixels. Where the time grows more than the operations do, the weights are to blame: D has 45 million of them at 128 pixels, and Adam moves every one of them in every step, however small the batch.
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

# %%
def flat_head():
    """A module: [N, 64, 32, 32] to [N, 3, 96, 96], flat where its input is flat."""
    # solution
    return nn.Sequential(nn.Upsample(scale_factor=3), nn.Conv2d(64, 3, 5, 1, 2, bias=False))
    # end solution


# %%
lesson_04.exercise_5(flat_head)

# %% [markdown]
# ## 9 · Do the artefacts survive training?
#
# Untrained first: three heads, the same input as after a ReLU, and the share of the pictures' power in patterns of period 3. The second head covers its outputs evenly. The weights are drawn as in the source of the 96-pixel network: transposed convolutions from N(0.01, 0.02), with a mean that is not 0.

# %%
torch.manual_seed(SEED)
features = torch.randn(64, 64, 32, 32).relu()
heads = {
    "k5 s3 p1": nn.ConvTranspose2d(64, 3, 5, 3, 1, bias=False),
    "k3 s3": nn.ConvTranspose2d(64, 3, 3, 3, bias=False),
    "flat": flat_head(),
}
blocks, untrained = {}, {}
for name, head in heads.items():
    networks.initialise(head, "dcgan-96", torch.Generator().manual_seed(SEED))
    with torch.no_grad():
        start = data.to_uint8(head(features).tanh())
    untrained[name] = patterns.periodic_power(start, period=3)
    blocks[f"{name}: {untrained[name]:.1%}"] = start[:4, :, 30:66, 30:66]
show.beside(
    blocks,
    "The middle of four untrained outputs of each head: k5 s3 p1 and k3 s3 carry a regular grid, the flat "
    "head only random colours.",
    columns=2,
)

# %% [markdown]
# And after training? Two recorded runs go on at 96 and 128 pixels, at a quarter of the width and in batches of 32, so that two cores could do them.

# %%
samples = {}
for size in (96, 128):
    run = runs.find(f"faces-{size}")
    minutes = run.card["seconds"] / 60
    print(f"{size} px: {run.card['images']:,} images, {minutes:.0f} minutes on {run.card['device']}")
    how_many = here.pick(ci=64, cpu=500, colab=500, full=500)
    samples[size] = sampling.sample(run.generator(device), how_many, seed=2)
show.beside(
    {f"generated, {size} px": images[:9] for size, images in samples.items()},
    "Nine generated faces at 96 pixels under a fine grid, and nine at 128, coarser and less finished.",
    columns=3,
)

# %%
drawn = {size: portraits.draw(len(images), size).images for size, images in samples.items()}
trained, real = patterns.periodic_power(samples[96], period=3), patterns.periodic_power(drawn[96], period=3)
print(f" 96 px, period 3: {trained:.2%} of the power of generated faces, {real:.2%} of drawn ones")
at_128 = patterns.periodic_power(samples[128], period=2), patterns.periodic_power(drawn[128], period=2)
print(f"128 px, period 2: {at_128[0]:.2%} of the power of generated faces, {at_128[1]:.2%} of drawn ones")

# %% [markdown]
# Most of the pattern is gone, and a part has stayed: about six times what drawn faces have. Look closely at the flat backgrounds, where nothing hides it. It goes slowly, too. The two heads trained side by side (96 pixels, a quarter of the width, batches of 32, two seeds each), share of the power at period 3:
#
# | after | k5 s3 p1 | enlarge, then convolve | drawn faces |
# |---|---|---|---|
# | 12,000 images | 26 % and 42 % | 0.01 % and 0.01 % | 0.12 % |
# | 24,000 | 2.8 % and 3.9 % | 0.03 % and 0.03 % | |
# | 48,000 | 1.8 % and 1.5 % | 0.02 % and 0.03 % | |
#
# The other head is free of this pattern, more than even the drawn faces are; the coarser grids that come from the layers before it (period 6, 12 and so on) stay. And it is not free: the same 48,000 images took 1.7 times as long, because it convolves at 96 × 96 where the other works at 32 × 32. Modern generators take it all the same.

# %%
spread = {}
for name, images in (("drawn faces", drawn[96]), ("generated", samples[96])):
    x = data.to_signed(images)
    spread[name] = x.std(dim=0).mean(0)  # how much each pixel differs from picture to picture
figure, axes = show.new_figure(10, 3.6, ncols=3, width_ratios=(1, 1, 1.2))
for ax, (name, values) in zip(axes, spread.items()):
    ax.imshow(values, cmap="gray", vmin=0, vmax=0.7)
    ax.set(title=name, xticks=[], yticks=[])
    ax.grid(False)
for name, color in (("drawn faces", show.REAL), ("generated", show.FAKE)):
    axes[2].plot(spread[name][:12].mean(1), color=color, label=name, marker="o")
axes[2].set(title="the uppermost rows", xlabel="row", ylim=(0.2, 0.5))
axes[2].legend()
first, second = spread["generated"][:2].mean(1).tolist()
edge = first / second
show.figure(
    figure,
    "How much every pixel varies from picture to picture at 96 pixels. Drawn faces: smooth up to the edge. Generated "
    f"ones: a fine grid, and the uppermost row varies {edge:.2f} times as much as the second.",
)

# %% [markdown]
# The edge is the other half of the suspicion. In the outermost row an output gets one input where inner ones get up to two, in a corner one where inner ones get up to four, so it starts with less spread. Drawn faces vary as much in the first row as in the second. The generated ones do not; D had 200,000 chances to object and did not find it worth its while.

# %% tags=["showed"]
print(f"the tutorial's own D(x): {log[:32, 2].mean():.2f} in epoch 1, {log[-32:, 2].mean():.2f} in epoch 5, not 0.5;")
seen = recorded.card["images"]
print(f"recorded run on drawn faces: {seen:,} images; live: {gan.images:,} at width {small.width:g};")
more, longer = (cost[128][i] / cost[64][i] for i in (0, 1))
print(f"128 px costs {more:.1f} × the operations and {longer:.1f} × the time of 64 px;")
at_start = untrained["k5 s3 p1"]
print(f"period 3 at 96 px: untrained {at_start:.0%}, trained {trained:.2%}, drawn {real:.2%} of the power")

# %% [markdown]
# ## What to remember
#
# - A set of faces has terms, a population, and people in it who may never have been asked. Count and say it before you train.
# - Decode once, keep bytes, scale on the device.
# - Read means, not lines: health is a D that is ahead and not certain, not a D(x) of one half.
# - Operations grow with pixels *and* channels; weights only with channels.
# - A transposed last layer starts with a grid in every picture; one that enlarges first and convolves after does not.
#
# ## Ask yourself
#
# <details><summary>Loss_D is 0.02 and falling, D(x) is 0.99, D(G(z)) is 0.00. Is the run going well?</summary>
# No. D is certain, and the gradient that reaches G says little more than "no". The pictures have probably stopped improving.
# </details>
#
# <details><summary>Why is the second D(G(z)) of a line usually lower than the first?</summary>
# It is measured on the same pictures after D has taken a step that pushes their scores down, along with everything else it does.
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
# The loop that everybody writes first, the tutorial's, and the course's do the same arithmetic. Between them lie six changes. `python notebooks/tools/bench.py dcgan-faces-64 --ladder` in the course's folder switches them on one after another and lets all versions run in turns; this is what it said on two cores, and *your* machine will say something else. **Predict** which change brings most, before you look, and which nothing.

# %%
for bench in json.loads((files.assets_dir() / "benchmarks.json").read_text()):
    if len(bench["lines"]) > 6 and bench["recipe"]["key"] in ("dcgan-faces-64", "dcgan-mnist"):
        rows = [("loop", "images/s", "ratio", "spread", "of matmul")]
        for line in bench["lines"]:
            rate, ratio, share = f"{line['rate']:,.0f}", f"{line['ratio']:.2f}", f"{line['share']:.0%}"
            rows.append((line["name"], rate, ratio, f"{line['lowest']:.2f} to {line['highest']:.2f}", share))
        where = ", ".join(f"{key} {bench['evidence'][key]}" for key in ("date", "device", "cpu", "torch", "rounds"))
        print(bench["title"], where, terminal.aligned(rows, numbers=True), sep="\n", end="\n\n")

# %% [markdown]
# - **Images on the device, as bytes.** No file is opened, decoded and scaled in every epoch again. The smaller the network, the larger the part of the time that reading pictures takes.
# - **Telemetry read late.** Each `.item()` makes the program wait for the device. A CPU has nothing to wait for: no gain here; on a GPU it is another matter.
# - **Losses on logits.** Safer first of all (lesson 02), and one pass less.
# - **D frozen in G's step.** G needs the gradient that comes *through* D, not the one of D's weights; about a tenth of the step's operations fall away.
# - **Channels last.** The numbers of one pixel lie side by side, as the convolutions of the CPU's library (and tensor cores) want them.
# - **Fused Adam.** One pass over the weights instead of a dozen. It counts where batches are small and weights are many.
#
# The column on the right compares with the rate of plain matrix products on the same machine, counting the operations that a step *needs*: where it is near 100 %, the arithmetic itself is the limit, and no trick is left. Where it is far below, as for batches of four, the time goes into starting small operations and into Adam, and a larger batch is the only large gain.
#
# ## Where to read on
#
# - Alec Radford, Luke Metz, Soumith Chintala, *Unsupervised Representation Learning with Deep Convolutional GANs*, 2016, [arXiv:1511.06434](https://arxiv.org/abs/1511.06434).
# - Nathan Inkawhich, *DCGAN Tutorial*, PyTorch, 2018, [pytorch.org/tutorials](https://pytorch.org/tutorials/beginner/dcgan_faces_tutorial.html): the protocol and the printed log of this lesson.
# - Ziwei Liu, Ping Luo, Xiaogang Wang, Xiaoou Tang, *Deep Learning Face Attributes in the Wild*, 2015, [arXiv:1411.7766](https://arxiv.org/abs/1411.7766): CelebA.
# - Timnit Gebru et al., *Datasheets for Datasets*, 2018, [arXiv:1803.09010](https://arxiv.org/abs/1803.09010): what to ask of a data set.
# - Joy Buolamwini, Timnit Gebru, *Gender Shades*, 2018, Proceedings of Machine Learning Research 81: who is missing, measured.
