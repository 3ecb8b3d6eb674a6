# %% [markdown]
# # 05 · The latent space
#
# > After it you can explore a generator: its dimensions, the lines and arcs between latents, arithmetic with attributes, directions found in its weights, and the way back from a picture.
#
# {{badge}}
#
# **After this lesson you can**
#
# - say how much a single dimension of z changes the picture, and test a claim about it,
# - walk from one latent to another without leaving the region where draws lie,
# - build the direction of an attribute from examples, and check with a classifier what it does,
# - find directions in the weights alone,
# - search for the latent of a picture, and say why there may be none.
#
# | | two CPU cores | Colab T4 |
# |---|---|---|
# | minutes to run it all | about 2 | not measured yet |
# | minutes to read and solve it | about 90 | about 90 |
#
# Read first: lesson 03, for the judge and the transposed convolution, and lesson 04, for the drawn faces. Everything here uses generators that are trained already.

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
from dataclasses import replace

import numpy as np
import torch

from gan_course import data, judge, latent, mosaic, portraits, profiles, runs, sampling, show, widgets
from gan_course.checks import lesson_05

SEED = 0
here = profiles.current()
torch.set_grad_enabled(False)  # nothing is trained here but judges; what needs gradients switches them on
names = {"quick-digits": "digits", "small-clothes": "clothes", "small-faces": "faces"}
generators = {name: runs.find(name).generator() for name in names}  # in evaluation mode, on the CPU
print(f"profile {here.name}: {here.about}")

# %% [markdown]
# ## 1 · A hundred numbers
#
# A generator turns 100 numbers, drawn independently from N(0, 1), into a picture. Where do such draws lie? The squared length of z is a sum of 100 squares with mean 1 each, so it is near 100 and the length near 10. **Predict**: out of 10,000 draws, how many are shorter than 7?

# %%
# NBVAL_CHECK_OUTPUT
z = latent.draw(10_000, 100, seed=SEED)
norms = z.norm(dim=1)
few = (norms < 7).sum()
print(f"length: mean {norms.mean():.1f}, standard deviation {norms.std():.1f}; shorter than 7: {few}")
cosines = torch.cosine_similarity(z[::2], z[1::2])
print(f"cosine between two draws: mean {cosines.mean().abs():.2f}, standard deviation {cosines.std():.2f}")

# %% [markdown]
# Hardly any. Draws from a normal distribution in many dimensions lie in a thin *shell*; its centre, z = 0, is the likeliest single point, and yet nobody ever comes near it. And any two draws are nearly at right angles.
#
# The explorer shows twelve latents and moves all of them alike. Each slider adds to one of the 100 dimensions, or moves along a direction (those called *found* come in section 6). Drag, and look for what changes on *all* pictures. Then take other latents, and look again.

# %%
widgets.latent_explorer("quick-digits", start=(0, 1, 2))

# %% [markdown]
# ## 2 · One dimension at a time
#
# The FashionMNIST report, whose MLP GAN lesson 02 trained, says that its latent dimensions 4 and 21 control visible attributes of the pictures, and that single dimensions do so in general. A claim with numbers in it can be tested. First the tool.
#
# ### Exercise 5.1 · Traverse a dimension
# Difficulty ●○○○○ · 5 minutes · why it matters: it is the first thing everyone does to a generator, and the first place for an index that is off by one.
#
# Write a function that makes copies of `z`, one for each of the `values`, in which one dimension *takes* that value and the other 99 stay. The `z` you are given stays as it is.


# %%
def traverse(z, dimension, values):
    """Copies of z [latent_dim] in which one dimension takes the values, [n, latent_dim]."""
    # solution
    path = z.repeat(len(values), 1)
    path[:, dimension] = values
    return path
    # end solution


# %%
lesson_05.exercise_1(traverse)

# %%
values = torch.linspace(-3, 3, 9)
three = latent.draw(3, 100, seed=SEED)
rows = {
    f"dimension {d}": torch.cat(
        [data.to_uint8(generators["small-clothes"](traverse(z, d, values))) for z in three]
    )
    for d in (4, 21)
}
show.beside(
    rows,
    "Three pieces of clothing, one a row, while dimension 4 (left) and dimension 21 (right) go from minus three to "
    "three.",
    columns=9,
)

# %% [markdown]
# Something happens, no doubt. But compared with what? For each of the 100 dimensions, `latent.influence` draws random latents, puts that dimension at −2 and at +2, and takes the mean absolute difference of the two pictures, in grey levels of 255. **Predict** where 4 and 21 stand among the 100.

# %%
n = here.pick(ci=4, cpu=32, colab=48, full=64)
influence = {name: latent.influence(generator, n, seed=SEED) for name, generator in generators.items()}
figure, axes = show.new_figure(11, 3.4, ncols=3)
places = {}
for ax, (name, title) in zip(axes, names.items()):
    order = influence[name].argsort(descending=True).tolist()
    places[title] = order.index(4) + 1, order.index(21) + 1
    colors = [show.RED if d in (4, 21) else show.SKY for d in order]
    ax.bar(range(1, 101), influence[name][order], color=colors, width=1)
    for d, place in zip((4, 21), places[title]):
        ax.annotate(str(d), (place, influence[name][d]), ha="center", va="bottom", color=show.RED)
    ax.set(title=f"{title}: 4 is number {places[title][0]}, 21 number {places[title][1]}", xlabel="place")
axes[0].set_ylabel("grey levels from −2 to +2")
show.figure(
    figure,
    "How much each of the 100 dimensions changes the picture, sorted. Dimensions 4 and 21 in red: "
    + "; ".join(f"{title}, numbers {four} and {other}" for title, (four, other) in places.items()),
)

# %% [markdown]
# Every dimension changes the picture, some of them several times as much as others, and 4 and 21 stand somewhere else in each generator. Nothing carries a dimension's number from one run to the next: before training the first layer treats all hundred alike, and another seed deals them out anew. So a high place here or there means little, even a first one: among six places (two dimensions, three generators), one within the best five turns up by chance about one time in four, 1 − 0.95⁶. The report's own generator is not at hand; on *it*, 4 and 21 may well have been picked out of a hundred because they looked interesting.
#
# The second half of the claim is that a dimension controls an *attribute*: a like change on every picture. Measure that, too, as far as pixels can: take the change of the picture when a dimension goes up, on many latents, and the cosine between the changes of two different latents. 1 would be the same change of the same pixels everywhere, 0 unrelated changes. (A smile on a turned head changes other pixels than on a straight one: the cosine is blind to that.) And to know what a number means, the same for directions drawn at random.

# %%
TRIED = here.pick(ci=8, cpu=32, colab=64, full=128)  # latents that a direction is tried on


def changes(generator, direction, reach=2.0):
    """What a direction of any length changes on different pictures, from -reach to +reach: [TRIED, C, H, W]."""
    z, unit = latent.draw(TRIED, 100, seed=1), direction / direction.norm()
    return generator(z + reach * unit) - generator(z - reach * unit)


def agreement(change):
    """Mean cosine between the changes of two different pictures."""
    change = torch.nn.functional.normalize(change.flatten(1), dim=1)
    return ((change.sum(0).square().sum() - TRIED) / (TRIED * (TRIED - 1))).item()


# %%
axes_of_z = torch.eye(100)[:: here.pick(ci=5, cpu=1, colab=1, full=1)]
at_random = latent.draw(here.pick(ci=10, cpu=30, colab=50, full=100), 100, seed=13)
four_and_21 = torch.eye(100)[[4, 21]]
print("agreement         dimensions               at random         dimension 4   dimension 21")
for name, title in names.items():
    by_axis, by_chance, named = (
        [agreement(changes(generators[name], d)) for d in some]
        for some in (axes_of_z, at_random, four_and_21)
    )
    print(
        f"{title:8} median {np.median(by_axis):5.2f}, most {max(by_axis):.2f}   median {np.median(by_chance):5.2f}, "
        f"most {max(by_chance):.2f} {named[0]:12.2f} {named[1]:14.2f}"
    )

# %% [markdown]
# The axes of z are no better than directions drawn at random. For digits, a step does nearly unrelated things to different pictures; for faces, nearly any step changes backdrop and light, which is the same change everywhere, and the cosine is high for that reason. An axis of z is where the coordinates happen to lie, not a property of the pictures. Sections 5 and 6 look for better directions.
#
# ## 3 · From one latent to another
#
# ### Exercise 5.2 · Along the arc
# Difficulty ●●●○○ · 15 minutes · why it matters: the straight line between two draws leaves the shell in which the generator was trained.
#
# Half-way on the straight line between two latents of length 10 at right angles, the length is 10 / √2, about 7. Section 1 found hardly a draw that short. *Spherical* interpolation goes along the arc instead. With the angle $\omega$ between a and b,
#
# $$\operatorname{slerp}(a, b; t) = \frac{\sin((1-t)\,\omega)}{\sin\omega}\,a + \frac{\sin(t\,\omega)}{\sin\omega}\,b .$$
#
# Write it for a tensor `t` of any length. Two things about floating point: rounding can push the cosine of the angle above 1 or below −1, where arccos is NaN, so clamp it to [−1, 1]; and where a and b point the same way sin ω is 0 or nearly so, and the straight line is the answer. (If you want the length to go evenly from |a| to |b| as well, interpolate unit vectors and multiply; the check accepts both.)


# %%
def slerp(a, b, t):
    """Points on the arc from a (t = 0) to b (t = 1), [len(t), latent_dim]."""
    # solution
    angle = torch.arccos((a @ b / (a.norm() * b.norm())).clamp(-1, 1))
    t = t[:, None]
    if angle.sin() < 1e-3:
        return torch.lerp(a, b, t)
    return (torch.sin((1 - t) * angle) * a + torch.sin(t * angle) * b) / torch.sin(angle)
    # end solution


# %%
lesson_05.exercise_2(slerp)

# %%
# NBVAL_CHECK_OUTPUT
a, b = 10 * torch.eye(100)[:2]  # of length 10, at right angles
for name, walk in (("straight", latent.lerp), ("along the arc", slerp)):
    print(f"{name:13} length half-way: {walk(a, b, torch.tensor([0.5])).norm():.2f}")

# %%
t = torch.linspace(0, 1, 9)
a, b = latent.draw(2, 100, seed=3)
paths = {"straight": latent.lerp(a, b, t), "along the arc": slerp(a, b, t)}
for name, path in paths.items():
    print(f"{name:13} lengths:", *(f"{norm:.1f}" for norm in path.norm(dim=1)))
show.beside(
    {
        name: torch.cat(
            [data.to_uint8(generators[which](path)) for which in ("quick-digits", "small-clothes")]
        )
        for name, path in paths.items()
    },
    "A digit becomes another digit, and a piece of clothing another, in nine pictures: left along the straight line, "
    "right along the arc. The two look much alike.",
    columns=9,
)

# %% [markdown]
# You will often read that the straight line "leaves the manifold" of good pictures and the arc does not. Look at the formula: at t = 1/2 both middles point in *exactly* the same direction, that of a + b. They differ in length alone, by about √2. So the question is what the length of z does, and that can be asked without any path: take directions at random, give them different lengths, and let a judge (lesson 03), trained on real digits, look at the pictures.

# %%
with torch.enable_grad():
    digits = data.load("mnist")
    expert = judge.train(digits, epochs=here.pick(ci=2, cpu=1, colab=2, full=2))
how_many = here.pick(ci=200, cpu=3_000, colab=3_000, full=5_000)
units = torch.nn.functional.normalize(latent.draw(how_many, 100, seed=5), dim=1)
by_length, shorter = {}, {}
for length in (10.0, 5.0, 7.1, 14.1):
    pictures = generators["quick-digits"](length * units)
    by_length[length] = judge.verdict(expert, data.to_uint8(pictures))
    difference = by_length[length].confidence - by_length[10.0].confidence
    shorter[length] = difference.mean().item(), 2 * difference.std().item() / how_many**0.5
    change, margin = shorter[length]
    print(
        f"length {length:4.1f}: confidence {by_length[length].confidence.mean():.3f} ({change:+.3f} ± {margin:.3f}), "
        f"balance {by_length[length].balance:.2f}, spread of a pixel {pictures.std(dim=0).mean():.2f}"
    )

# %% [markdown]
# (In brackets: the difference to length 10, direction by direction, ± two standard errors.) Read off what a length of 7.1 costs, the middle of the straight line, and what 5 and 14.1 do. The reason to prefer the arc is that the generator was trained on lengths near 10 and on no other; how much it minds is a question to each generator.
#
# "Interpolation is smooth" is the report's other claim. The network is continuous, so it cannot jump; but it can hurry. Take 60 equal steps along an arc, and compare the largest change of the picture with the mean one.

# %%
t = torch.linspace(0, 1, 61)
many = here.pick(ci=5, cpu=50, colab=50, full=100)
for name, title in names.items():
    hurry = []
    for a, b in zip(*latent.draw(2 * many, 100, seed=6).chunk(2)):
        path = generators[name](slerp(a, b, t)).flatten(1)
        step = (path[1:] - path[:-1]).norm(dim=1)
        hurry.append((step.max() / step.mean()).item())
    print(f"{title:8} largest step over mean: median {np.median(hurry):.1f}, most of {many} {max(hurry):.1f}")

# %% [markdown]
# Smooth, and not quite even. Between four anchors there is a square of pictures:

# %%
corners = torch.cat([latent.draw(1, 100, seed=seed) for seed in (0, 5, 8, 2)])
show.grid(
    data.to_uint8(generators["quick-digits"](latent.square(corners, 8))),
    "Eight by eight digits. Those in the corners are four anchors; between them each digit turns into the next.",
    columns=8,
)

# %% [markdown]
# The same to move about in; *lerp* is the straight line.

# %%
widgets.interpolator("quick-digits", anchors=4, seeds=(0, 5, 8, 2))

# %% [markdown]
# ## 4 · A walk that comes home
#
# Two latents span a plane, and the circle around the origin through the first one stays at its length all the way. It makes a film without a beginning.

# %%
frames = here.pick(ci=8, cpu=48, colab=48, full=48)
a, b = latent.draw(24, 100, seed=8).chunk(2)
rounds = torch.stack([latent.circle(p, q, frames) for p, q in zip(a, b)], dim=1)  # [frames, 12, 100]
film = [mosaic.tile(generators["small-faces"](z), 6) for z in rounds]
show.animation(
    film,
    "Twelve generated faces walk around a circle in latent space: hair, skin, light and backdrop change continuously, "
    "and after one round all twelve are back where they were.",
    ms=100,
    hold=100,
    quality=60,
)

# %% [markdown]
# ## 5 · Arithmetic with attributes
#
# Radford, Metz and Chintala made GANs famous with "man with glasses − man + woman = woman with glasses", each word the mean of three latents. Means are the right idea: what the latents of many pictures with an attribute have in common is what the attribute needs; the rest averages out. The difference of two means, "with glasses" − "without", is a direction that can be added to any latent.
#
# ### Exercise 5.3 · The direction of an attribute
# Difficulty ●●○○○ · 10 minutes · why it matters: with it every labelled property of pictures becomes a slider.
#
# Given latents `z` [n, 100] and a bool tensor `has` [n] that says whose picture has the attribute, return the vector from the mean latent of those without it to the mean of those with it.


# %%
def direction(z, has):
    """From the mean latent without an attribute to the mean with it, [latent_dim]."""
    # solution
    return z[has].mean(0) - z[~has].mean(0)
    # end solution


# %%
lesson_05.exercise_3(direction)

# %% [markdown]
# Who says which generated face has glasses? A small classifier for each attribute, trained on *drawn* faces, whose attributes are known because they were drawn with them. How far can it be trusted? Test it on drawn faces it has not seen, and compare with somebody who always gives the commoner answer. (Generated faces are another population again: there nobody knows the truth, and you will have to look.)

# %%
ATTRIBUTES = ("Wearing_Hat", "Long_Hair", "Eyeglasses", "Bald")
known = portraits.draw(here.pick(ci=300, cpu=3_000, colab=6_000, full=10_000))
unseen = portraits.draw(here.pick(ci=100, cpu=500, colab=1_000, full=2_000), seed=1)
classifiers = {}
for attribute in ATTRIBUTES:
    train, test = (
        replace(faces, labels=faces.having(attribute).long(), classes=("without", "with"))
        for faces in (known, unseen)
    )
    with torch.enable_grad():
        classifiers[attribute] = judge.train(train, epochs=here.pick(ci=1, cpu=4, colab=6, full=6))
    right, share = judge.accuracy(classifiers[attribute], test), test.labels.float().mean().item()
    common = max(share, 1 - share)
    print(f"{attribute:12} right on {right:4.0%} of unseen drawn faces; the commoner answer: {common:4.0%}")
marks = torch.stack([known.having(attribute) for attribute in ATTRIBUTES]).float()
print(
    "correlations in the drawn faces:",
    *(f"{value:+.2f}" for value in torch.corrcoef(marks)[3]),
    "(of Bald with each)",
)

# %% [markdown]
# Now generate, classify, and take means. To see whether a direction does what its name says, move *other* latents along it and ask the classifiers again, about this attribute and about the other three, which should stay. And because any push changes something, push along random directions of the same length, too.


# %%
def marked(z):
    """Whose picture has each attribute, as the classifiers see it, bool [attributes, n]."""
    images = data.to_uint8(generators["small-faces"](z))
    return torch.stack([judge.verdict(classifiers[name], images).seen == 1 for name in ATTRIBUTES])


learned_from = latent.draw(here.pick(ci=200, cpu=3_000, colab=4_000, full=8_000), 100, seed=10)
others = latent.draw(here.pick(ci=50, cpu=800, colab=1_000, full=2_000), 100, seed=11)
before = marked(others).float().mean(1)


def effect(direction, length=4.0):
    """By how much the share of pictures with each attribute changes on `others`, [attributes]."""
    return marked(others + length * direction / direction.norm()).float().mean(1) - before


directions = {}
for name, has in zip(ATTRIBUTES, marked(learned_from)):
    if has.any() and not has.all():
        directions[name] = direction(learned_from, has)
    else:
        print(f"{name}: seen on {has.sum()} of {len(has)} generated faces, so there is no direction")
effects = {name: effect(d) for name, d in directions.items()}
some_random = latent.draw(here.pick(ci=2, cpu=6, colab=8, full=8), 100, seed=12)
by_chance = torch.stack([effect(d) for d in some_random]).abs().amax(0)

# %%
walk = torch.linspace(-4, 4, 5)
shown = {}
for name, d in list(directions.items())[:2]:
    moved = others[:6] + walk[:, None, None] * d / d.norm()
    shown[name] = data.to_uint8(generators["small-faces"](moved.flatten(0, 1)))
show.beside(
    shown or {"as they were": data.to_uint8(generators["small-faces"](others[:6]))},
    "Six generated faces, one a column, moved along the directions of two attributes: against the direction in the upper "
    "rows, as they were in the middle row, along it in the lower ones.",
    columns=6,
)

# %% [markdown]
# First look: do *you* see the attribute come and go? Then ask the classifiers: changes in percentage points, when the other latents move by 4.

# %%
print(f"{'moved along':18}" + "".join(f"{name:>13}" for name in ATTRIBUTES))
for name, row in effects.items():
    print(f"{name:18}" + "".join(f"{100 * value:+13.0f}" for value in row))
print(
    f"{'random, largest':18}" + "".join(f"{'±' + format(100 * value, '.0f'):>13}" for value in by_chance)
)
print(f"{'(share before)':18}" + "".join(f"{100 * value:13.0f}" for value in before))

# %% [markdown]
# On the diagonal stands what was asked for, beside it what came along. One pair goes together in the training set: nobody in it is bald and has long hair, so the way to "bald" is a way away from long hair, and the other way round it is only a little so. Means know no causes. The other attributes are independent in the drawn faces; what moved there comes from the generator, which has learned some things better than others, from the classifiers, which are asked about pictures of a kind they have not seen, and from chance: compare with the line of random directions.
#
# Your directions as sliders:

# %%
widgets.latent_explorer("small-faces", directions, start=tuple(directions)[:3] or (0,))

# %% [markdown]
# ## 6 · Directions found in the weights
#
# An attribute's direction needs labels. *SeFa* (Shen and Zhou, 2021) needs nothing but the weights. A generator's first layer is linear: it takes z to Az. A unit step d in latent space moves what comes out of it by Ad. The unit vector with the largest |Ad|² = dᵀAᵀAd is the eigenvector of AᵀA with the largest eigenvalue; the largest at right angles to it is the next eigenvector, and so on. (BatchNorm comes after that layer and rescales each channel; SeFa does not look at it.)
#
# ### Exercise 5.4 · What a matrix stretches most
# Difficulty ●●●○○ · 15 minutes · why it matters: two lines of linear algebra, and the order of what `eigh` returns has cost many people an afternoon.
#
# For A [outputs, latent_dim], return the eigenvalues of AᵀA, the largest first, and the unit directions as *rows* in the same order. `torch.linalg.eigh` takes a symmetric matrix and returns the eigenvalues in ascending order, and the eigenvectors as columns.


# %%
def stretched(A):
    """(eigenvalues of AᵀA, the largest first; their unit eigenvectors as rows)."""
    # solution
    values, vectors = torch.linalg.eigh(A.T @ A)
    return values.flip(0), vectors.flip(1).T
    # end solution


# %%
lesson_05.exercise_4(stretched)

# %% [markdown]
# The first layer of the DCGANs is a transposed convolution on one pixel: a kernel [100, channels, 4, 4], which is a matrix from 100 numbers to channels · 4 · 4.

# %%
# NBVAL_CHECK_OUTPUT
for name, generator in generators.items():
    kernel = next(generator.parameters())
    A = kernel.flatten(1).T
    same = torch.allclose(stretched(A)[0][:5], latent.sefa(generator, 5)[0], rtol=1e-3)
    print(f"{name:13} kernel {list(kernel.shape)}, A {list(A.shape)}; as latent.sefa finds them: {same}")

# %%
figure, axes = show.new_figure(11, 3.2, ncols=3)
steepest = {}
for ax, (name, title) in zip(axes, names.items()):
    values, _ = latent.sefa(generators[name], 100)
    steepest[title] = (values[0] / values.mean()).item()
    ax.plot(range(1, 101), values / values.mean(), color=show.BLUE)
    ax.axhline(1, color=show.GREY, linewidth=1, linestyle=":")
    ax.set(title=title, xlabel="direction", ylim=(0, None))
axes[0].set_ylabel("eigenvalue over the mean")
show.figure(
    figure,
    "Eigenvalues of the first layer's AᵀA, sorted. The largest is "
    + ", ".join(f"{value:.1f} times the mean for {title}" for title, value in steepest.items()),
)


# %%
def size_and_agreement(name, directions):
    """Means over some directions: how much the picture changes, in grey levels, and how alike on different pictures."""
    found = [changes(generators[name], d) for d in directions]
    return np.mean([c.abs().mean().item() * 127.5 for c in found]), np.mean([agreement(c) for c in found])


print("grey levels from −2 to +2 (agreement)   first 5 found     at random      last 5 found")
for name, title in names.items():
    _, found = latent.sefa(generators[name], 100)
    groups = [size_and_agreement(name, some) for some in (found[:5], at_random[:10], found[-5:])]
    print(f"{title:40}" + "   ".join(f"{grey:6.1f} ({agree:.2f})" for grey, agree in groups))

# %%
_, found = latent.sefa(generators["small-faces"], 3)
walk = torch.linspace(-4, 4, 7)[:, None]
three = latent.draw(3, 100, seed=14)
show.beside(
    {
        f"found {i}": torch.cat([data.to_uint8(generators["small-faces"](z + walk * d)) for z in three])
        for i, d in enumerate(found[:2], 1)
    },
    "Three faces, one a row, moved from minus four to four along the first and the second direction found in the "
    "weights.",
    columns=7,
)

# %% [markdown]
# The directions that the first layer stretches most change the picture more than random ones, and in ways that are more alike from picture to picture; those that it stretches least change it least. Nobody told them what to do, so nobody can say beforehand what they will do: it takes a person who looks, or a classifier, to give them names.
#
# ## 7 · The way back
#
# From z to a picture is one pass. From a picture to z is a search: start somewhere, compare G(z) with the picture, and let the gradient move z. The weights stay.
#
# ### Exercise 5.5 · Inversion
# Difficulty ●●●○○ · 20 minutes · why it matters: every edit of a *given* picture by a GAN begins with it.
#
# Write a loop that finds a latent for `picture` [C, H, W] in [−1, 1]: start from z = 0 of shape [1, `G.latent_dim`], and let Adam with a rate of 0.1 minimise the mean square difference between G(z) and the picture, over z alone. Gradients are switched off in this notebook: put your loop under `with torch.enable_grad():`. Return z without its graph, of shape [latent_dim]. The check tries a small linear generator, on which 200 steps bring the error below 1 % of where it begins.


# %%
def invert(G, picture, steps=200):
    """A latent [latent_dim] whose picture is near the given one."""
    # solution
    with torch.enable_grad():
        z = torch.zeros(1, G.latent_dim, requires_grad=True)
        adam = torch.optim.Adam([z], lr=0.1)
        for _ in range(steps):
            adam.zero_grad()
            (G(z) - picture).square().mean().backward()
            adam.step()
    return z.detach()[0]
    # end solution


# %%
lesson_05.exercise_5(invert)

# %% [markdown]
# The package's `latent.invert` does the same from several draws at once, because a search can end in a poor valley, and with a weak pull on |z|², which keeps z about as long as draws are. Four kinds of pictures for the digits' generator: its own (a latent exists), real digits (is there one?), clothes and noise. **Predict** the order of the errors, and where the clothes will stand.

# %%
n = here.pick(ci=2, cpu=6, colab=8, full=16)
noise = torch.randint(
    0, 256, (n, 1, 28, 28), dtype=torch.uint8, generator=torch.Generator().manual_seed(0)
)
kinds = {
    "its own": sampling.sample(generators["quick-digits"], n, seed=20),
    "real digits": data.load("mnist", split="test").images[:n],
    "clothes": data.load("fashion-mnist", split="test").images[:n],
    "noise": noise,
}
how = {
    "steps": here.pick(ci=20, cpu=250, colab=300, full=500),
    "starts": here.pick(ci=2, cpu=5, colab=8, full=16),
}
inverted = {}
for name, pictures in kinds.items():
    with torch.enable_grad():
        inverted[name] = [
            latent.invert(generators["quick-digits"], p, progress=False, **how) for p in pictures
        ]

# %%
print("error, grey levels      mean    best   worst  all starts  all black  length of z")
for name, found in inverted.items():
    errors, starts = [one.error for one in found], torch.cat([one.starts for one in found])
    black = kinds[name].float().square().mean((1, 2, 3)).sqrt()  # the error of an all-black picture
    length = np.mean([one.z.norm() for one in found])
    print(
        f"{name:20}{np.mean(errors):8.1f}{min(errors):8.1f}{max(errors):8.1f}{starts.mean():12.1f}"
        f"{black.mean():11.1f}{length:13.1f}"
    )
show.beside(
    {
        name: torch.cat([kinds[name][:4], torch.stack([one.picture for one in found[:4]])])
        for name, found in inverted.items()
    },
    "Upper row what was wanted, lower row the nearest picture that was found, for the generator's own pictures, real "
    "digits, clothes and noise.",
    columns=min(4, n),
)

# %% [markdown]
# (The error is the root of the mean square difference of the pixels.) The error on the generator's own pictures is what the search leaves undone, for there a latent exists; only what is larger says something about the generator. For clothes and noise the search returns what is least wrong among the things that this generator can make. A GAN has no encoder and no obligation to contain a given picture.
#
# ## 8 · Latent space and time
#
# Three of the published runs, the ones of this lesson, keep a dozen copies of their generator along its training. Fix the latents and go through time: when does a z begin to mean "a seven"? One slider walks around a circle, the other through training.

# %%
widgets.time_scrubber("quick-digits")

# %%
run = runs.find("quick-digits")
fixed = latent.draw(here.pick(ci=100, cpu=1_000, colab=1_000, full=1_000), 100, seed=30)
seen = [
    judge.verdict(expert, data.to_uint8(run.generator(step=step)(fixed))).seen for step in run.snapshots
]
images_seen = [step * run.recipe.batch / 1000 for step in run.snapshots]
kept = [(before == after).float().mean().item() for before, after in zip(seen, seen[1:])]
final = [(one == seen[-1]).float().mean().item() for one in seen[:-1]]
figure, ax = show.new_figure(8, 3)
ax.plot(images_seen[1:], kept, marker="o", color=show.BLUE, label="same digit as at the copy before")
ax.plot(images_seen[:-1], final, marker="o", color=show.ORANGE, label="already its final digit")
ax.axhline(0.1, color=show.GREY, linewidth=1, linestyle=":", label="by chance")
ax.set(xlabel="thousand real images seen", ylabel="share of latents", ylim=(0, 1.05))
ax.legend(loc="lower right")
show.figure(
    figure,
    f"Of {len(fixed):,} latents, the share whose digit (as the judge sees it) is the same as at the copy of the generator "
    f"before, at last {kept[-1]:.0%}; and the share that has its final digit already, {final[0]:.0%} at the start and "
    f"{final[-1]:.0%} at the last copy but one.",
)

# %% [markdown]
# A latent's digit is not settled early and for good: while the generator improves, regions of latent space go on changing hands. And here is the run itself, to be played in a lecture:

# %%
widgets.training_player("quick-digits")

# %% [markdown]
# ## 9 · What a latent space is not
#
# - **Not a list of attributes.** An axis has no meaning of its own; directions mean something on average, more or less.
# - **Not a map of all pictures.** What the generator never learned has no address.
# - **Not the same twice.** Another seed gives another space: directions do not carry over from run to run.
# - **Not causal.** A direction made from means carries along whatever goes together, in the data or in the generator.
# - **Not flat.** Equal steps in z are not equal steps in the picture.

# %% tags=["showed"]
print(
    "dimensions 4 and 21 by influence: "
    + ", ".join(f"{t} {a} and {b}" for t, (a, b) in places.items())
    + " of 100;"
)
change, margin = shorter[7.1]
print(f"z of length 7.1 instead of 10: the judge's confidence changes by {change:+.3f} ± {margin:.3f};")
own = {name: 100 * row[ATTRIBUTES.index(name)].item() for name, row in effects.items()}
print(
    "attribute directions, points: "
    + ", ".join(f"{name} {value:+.0f}" for name, value in own.items())
    + ";"
)
print(
    "inversion, grey levels: "
    + ", ".join(f"{k} {np.mean([i.error for i in v]):.0f}" for k, v in inverted.items())
)

# %% [markdown]
# ## What to remember
#
# - Draws from N(0, I) lie in a shell of radius √100; a generator has been trained on that shell and nowhere else.
# - Before you call a dimension special, measure the other 99, and directions at random.
# - An attribute's direction is a difference of means; check it on other latents, with your eyes and with a classifier.
# - The first layer's strongest directions come for free; their names do not.
# - Not every picture has a latent: inversion finds the nearest one, and the distance is the answer.
#
# ## Ask yourself
#
# <details><summary>Why do the lengths of 100-dimensional draws vary so little?</summary>
# The squared length is a sum of 100 independent squares, with mean 100 and standard deviation √200 ≈ 14; so the length is about 10 ± 0.7.
# </details>
#
# <details><summary>A friend moves one dimension, sees the sleeves of a shirt grow, and calls it "the sleeve dimension". What would you ask?</summary>
# On how many other latents? Compared with how many other dimensions? And does a classifier, or somebody who does not know which dimension was moved, see sleeves too?
# </details>
#
# <details><summary>With photographs, the direction of "smiling" also makes hair longer. Is the method broken?</summary>
# No. In the pictures that were averaged, smiling and long hair went together. Balance the two groups in everything else, or take the part of the direction at right angles to the one you want to keep.
# </details>
#
# <details><summary>Inverting a real photograph gives a face that resembles nobody in it. Where does the difference come from?</summary>
# From the search (more starts would show it), from the generator's limits (it has no such face), and from the measure: a mean square difference of pixels does not know what matters in a face.
# </details>
#
# ## Where to read on
#
# - Alec Radford, Luke Metz, Soumith Chintala, *Unsupervised Representation Learning with Deep Convolutional GANs*, 2016, [arXiv:1511.06434](https://arxiv.org/abs/1511.06434): walks, and arithmetic with three examples a word.
# - Tom White, *Sampling Generative Networks*, 2016, [arXiv:1609.04468](https://arxiv.org/abs/1609.04468): spherical interpolation, and attribute vectors with balanced groups.
# - Yujun Shen, Bolei Zhou, *Closed-Form Factorization of Latent Semantics in GANs*, 2021, [arXiv:2007.06600](https://arxiv.org/abs/2007.06600): SeFa.
# - Erik Härkönen, Aaron Hertzmann, Jaakko Lehtinen, Sylvain Paris, *GANSpace*, 2020, [arXiv:2004.02546](https://arxiv.org/abs/2004.02546): directions from activations instead of weights.
# - Jun-Yan Zhu, Philipp Krähenbühl, Eli Shechtman, Alexei Efros, *Generative Visual Manipulation on the Natural Image Manifold*, 2016, [arXiv:1609.03552](https://arxiv.org/abs/1609.03552): inversion, and editing with it.
