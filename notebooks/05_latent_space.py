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
# - search for the latent of a picture, and say why there may be none,
# - edit a picture that is given, and say what else changed.
#
# | | two CPU cores | Colab T4 |
# |---|---|---|
# | minutes to run it all | about 2 | not measured yet |
# | minutes to read and solve it | about 120 | about 120 |
#
# Read first: lesson 03, for the judge and the transposed convolution, and lesson 04, for the drawn faces. Eigenvectors are used in section 6, and what is needed of them is said there. All generators here are trained already.

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
import itertools
from dataclasses import replace

import numpy as np
import torch

from gan_course import data, judge, latent, mosaic, portraits, profiles, runs, sampling, show, widgets
from gan_course.checks import lesson_05

SEED = 0
here = profiles.current()
torch.set_grad_enabled(False)  # nothing is trained here but judges; what needs gradients switches them on
names = {"quick-digits": "digits", "quick-clothes": "clothes", "quick-faces": "faces"}
generators = {name: runs.find(name).generator() for name in names}  # in evaluation mode, on the CPU


def floats(numbers):
    """What a function of yours returns, of whatever type of number, as a float32 tensor."""
    rows = [one if torch.is_tensor(one) else torch.as_tensor(np.array(one)) for one in numbers]
    return torch.stack(rows).float()


def pictures(name, z):
    """What a generator makes of latents [n, 100], uint8 [n, C, H, W]."""
    return data.to_uint8(generators[name](floats(z)))


print(f"profile {here.name}: {here.about}")

# %% [markdown]
# ## 1 · A hundred numbers
#
# A generator turns 100 numbers, drawn independently from N(0, 1), into a picture. Where do such draws lie? The squared length of z is a sum of 100 independent squares. Each has mean 1 and variance 2, so the sum has mean 100 and standard deviation √200, about 14. The root of 100 ± 14 is about 10 ± 0.7: that is the length. **Predict**: out of 10,000 draws, how many are shorter than 7?

# %% slide="Draws lie in a thin shell, nearly at right angles to each other"
# NBVAL_CHECK_OUTPUT
z = latent.draw(10_000, 100, seed=SEED)
norms = z.norm(dim=1)
few = (norms < 7).sum()
print(f"length: mean {norms.mean():.1f}, standard deviation {norms.std():.1f}; shorter than 7: {few}")
cosines = torch.cosine_similarity(z[::2], z[1::2])
print(f"cosine between two draws: mean {cosines.mean().abs():.2f}, standard deviation {cosines.std():.2f}")

# %% [markdown]
# None: 7 lies more than four standard deviations below the mean. Draws from a normal distribution in many dimensions lie in a thin *shell*. Its centre, z = 0, is where the density is highest, and yet no draw comes near it. And any two draws are nearly at right angles: the cosine is 0 ± 0.1.
#
# The explorer shows twelve latents and moves all of them alike. Each slider adds to one of the 100 dimensions, or moves along a direction (those called *found* come in section 6). Drag, and look for what changes on *all* pictures. Then take other latents, and look again.

# %% slide="Look for what changes on all pictures"
widgets.latent_explorer("quick-digits", start=(0, 1, 2))

# %% [markdown]
# ## 2 · One dimension at a time
#
# The laboratory report whose MLP GAN lesson 02 trained (*计算机学院 生成对抗网络实验报告*, section 4.3) fixes all of z but one dimension, shows what dimensions 4 and 21 do to the picture (its figure 4.5), and concludes that single dimensions control visible features, such as shape, texture and brightness. Such a claim can be tested. First the tool.
#
# ### Exercise 5.1 · Traverse a dimension
# Difficulty ●○○○○ · 5 minutes · why it matters: it is the first thing everyone does to a generator, and the first place for an index that is off by one.
#
# Write a function that makes copies of `z`, one for each of the `values`, in which one dimension *takes* that value and the other 99 stay. The `z` you are given stays as it is.
#
# <details><summary>Hint 1</summary>
#
# How many rows does the result have, how many columns, and which column changes?
#
# </details>
# <details><summary>Hint 2</summary>
#
# `z.repeat(n, 1)` makes n rows of z, and they are copies. (`expand` makes none: it shows the same numbers n times.)
#
# </details>
# <details><summary>Hint 3</summary>
#
# `path[:, dimension]` is a column; it takes as many numbers as it has rows.
#
# </details>

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

# %% slide="Dimensions 4 and 21 change something. But compared with what?"
values = torch.linspace(-3, 3, 9)
three = latent.draw(3, 100, seed=SEED)
rows = {
    f"dimension {d}": torch.cat([pictures("quick-clothes", traverse(z, d, values)) for z in three])
    for d in (4, 21)
}
show.beside(
    rows,
    "Three pieces of clothing, one a row, while dimension 4 (left) and dimension 21 (right) go from minus three to "
    "three.",
    columns=9,
)

# %% [markdown]
# Something happens, no doubt. But compared with what? For each of the 100 dimensions, `latent.influence` draws random latents, puts that dimension at −2 and at +2, and takes the mean absolute difference of the two pictures, in grey levels of 255. Had a generator set 4 and 21 apart, where would they stand among the 100? **Predict** where they will.

# %% slide="Every dimension changes the picture; 4 and 21 stand elsewhere in each generator"
n = here.pick(ci=4, cpu=32, colab=48, full=64)
influence = {name: latent.influence(generator, n, seed=SEED) for name, generator in generators.items()}
figure, axes = show.new_figure(9, 3.3, ncols=3)
places = {}
for ax, (name, title) in zip(axes, names.items()):
    order = influence[name].argsort(descending=True).tolist()
    places[title] = order.index(4) + 1, order.index(21) + 1
    colors = [show.RED if d in (4, 21) else show.SKY for d in order]
    ax.bar(range(1, 101), influence[name][order], color=colors, width=1)
    for d, place, other in zip((4, 21), places[title], places[title][::-1]):
        side = "center" if abs(place - other) > 9 else "right" if place < other else "left"
        ax.annotate(str(d), (place, influence[name][d]), ha=side, va="bottom", color=show.RED)
    least, median, most = (influence[name].quantile(q).item() for q in (0, 0.5, 1))
    print(f"{title:8} grey levels: least {least:4.1f}, median {median:4.1f}, most {most:4.1f}")
    ax.set(title=f"{title}: places {places[title][0]} and {places[title][1]}", xlabel="place")
axes[0].set_ylabel("grey levels from −2 to +2")
show.figure(
    figure,
    "How much each of the 100 dimensions changes the picture, sorted. Dimensions 4 and 21 in orange: "
    + "; ".join(f"{title}, numbers {four} and {other}" for title, (four, other) in places.items()),
)

# %% [markdown]
# Every dimension changes the picture, some of them several times as much as others, and 4 and 21 stand somewhere else in each generator. Nothing carries a dimension's number from one run to the next: before training the first layer treats all hundred alike, and another seed deals them out anew. So a high place here or there means little, even a first one: among six places (two dimensions, three generators), one within the best five turns up by chance about one time in four, 1 − 0.95⁶. The report's own generator is not at hand; whether 4 and 21 stand out *there*, and whether they were picked out of a hundred because they looked interesting, it does not say.
#
# The second half of the claim is that a dimension controls a *feature*: a like change on every picture. Measure that, too, as far as pixels can: take the change of the picture when a dimension goes up, on many latents, and the cosine between the changes of two different latents. 1 would be the same change of the same pixels everywhere, 0 unrelated changes. The mean over all pairs of latents is the *agreement* of a direction. (A smile on a turned head changes other pixels than on a straight one: the cosine is blind to that.) And to know what a number means, the same for directions drawn at random.

# %%
TRIED = here.pick(ci=8, cpu=32, colab=64, full=128)  # latents that a direction is tried on


def changes(generator, direction, reach=2.0):
    """What a direction of any length changes on different pictures, from -reach to +reach: [TRIED, C, H, W]."""
    z, unit = latent.draw(TRIED, 100, seed=1), direction / direction.norm()
    return generator(z + reach * unit) - generator(z - reach * unit)


def agreement(change):
    """Mean cosine between the changes of two different pictures."""
    unit = torch.nn.functional.normalize(change.flatten(1))  # a row a picture, each of length 1
    cosines = unit @ unit.T  # of every change with every other, and, on the diagonal, with itself
    return cosines[~torch.eye(len(unit), dtype=torch.bool)].mean().item()


# %%
axes_of_z = torch.eye(100)[:: here.pick(ci=5, cpu=1, colab=1, full=1)]
at_random = latent.draw(here.pick(ci=10, cpu=30, colab=50, full=100), 100, seed=13)
four_and_21 = torch.eye(100)[[4, 21]]
print("agreement       dimensions               at random         dimension 4   dimension 21")
for name, title in names.items():
    by_axis, by_chance, named = (
        np.array([agreement(changes(generators[name], d)) for d in some])
        for some in (axes_of_z, at_random, four_and_21)
    )
    ahead = (by_axis[:, None] > by_chance).mean()  # of all pairs (dimension, random direction)
    assert ahead < 0.9
    n, m = len(by_axis), len(by_chance)
    scatter = 2 * ((n + m + 1) / (12 * n * m)) ** 0.5  # of that share if both were alike: two standard deviations
    print(
        f"{title:8} median {np.median(by_axis):5.2f}, most {max(by_axis):.2f}   median {np.median(by_chance):5.2f}, "
        f"most {max(by_chance):.2f} {named[0]:12.2f} {named[1]:14.2f}"
    )
    print(f"         a dimension agrees better in {ahead:.0%} of all pairs; were all alike, in 50% ± {scatter:.0%}")

# %% [markdown] slide="Along the arc the length stays what draws have"
# Were the axes of z special, a dimension would agree better than a random direction in nearly all pairs; were they like any other direction, in about half, give or take what is printed beside it. (That is the rank test of Mann and Whitney.) Nothing near 100 % is there: an axis of z is where the coordinates happen to lie, not a property of the pictures.
#
# How high the numbers of a row are says something else: how much *any* step does the same on all pictures. Sections 5 and 6 look for better directions.
#
# ## 3 · From one latent to another
#
# ### Exercise 5.2 · Along the arc
# Difficulty ●●●○○ · 15 minutes · why it matters: the straight line between two draws leaves the shell in which the generator was trained.
#
# Half-way on the straight line between two latents of length 10 at right angles, the length is 10 / √2, about 7. Section 1 found no draw so short. *Spherical* interpolation goes along the arc instead. With the angle $\omega$ between a and b,
#
# $$\operatorname{slerp}(a, b; t) = \frac{\sin((1-t)\,\omega)}{\sin\omega}\,a + \frac{\sin(t\,\omega)}{\sin\omega}\,b .$$
#
# Write it for a tensor `t` of any length. Two things about floating point: rounding can push the cosine of the angle above 1 or below −1, where arccos is NaN, so clamp it to [−1, 1]; and where a and b point the same way sin ω is 0 or nearly so, and the straight line is the answer. (If you want the length to go evenly from |a| to |b| as well, interpolate unit vectors and multiply; the check accepts both.)
#
# <details><summary>Hint 1</summary>
#
# The cosine of the angle between a and b is a·b / (|a| |b|). In PyTorch `a @ b` is a number, `a.norm()` too.
#
# </details>
# <details><summary>Hint 2</summary>
#
# `t[:, None]` is a column; times a vector it makes a row for each t.
#
# </details>
# <details><summary>Hint 3</summary>
#
# Try it before the check: from `10 * torch.eye(100)[0]` to itself the angle is 0, and to its opposite it is π. Which line of yours makes NaN of it? `torch.lerp(a, b, t[:, None])` is the straight line.
#
# </details>

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
    print(f"{name:13} length half-way: {floats(walk(a, b, torch.tensor([0.5]))).norm():.2f}")

# %% slide="Both middles point the same way; they differ in length"
t = torch.linspace(0, 1, 9)
a, b = latent.draw(2, 100, seed=3)
paths = {"straight": latent.lerp(a, b, t), "along the arc": floats(slerp(a, b, t))}
blocks = {
    name: torch.cat([pictures(which, path) for which in ("quick-digits", "quick-clothes")])
    for name, path in paths.items()
}
for name, path in paths.items():
    print(f"{name:13} lengths:", *(f"{norm:.1f}" for norm in path.norm(dim=1)))
straight, arc = (block.float() for block in blocks.values())
half_way = (straight - arc).abs().mean((1, 2, 3))[4::9].tolist()  # the middle pictures of both rows
difference = " and ".join(f"{grey:.0f}" for grey in half_way)
print(f"half-way the two ways differ by {difference} grey levels of 255 a pixel")
show.beside(
    blocks,
    "A digit becomes another digit, and a piece of clothing another, in nine pictures: left along the straight line, "
    f"right along the arc. Half-way the two differ by {difference} grey levels a pixel on average.",
    columns=9,
)

# %% [markdown]
# You will often read that the straight line "leaves the manifold" of good pictures and the arc does not. Look at the formula: at t = 1/2 both middles point in *exactly* the same direction, that of a + b. They differ in length alone, by about √2. So the question is what the length of z does, and that can be asked without any path: take directions at random, give them different lengths, and let a judge (lesson 03), trained on real digits, look at the pictures.
#
# The judge's confidence differs from picture to picture, so a mean over *n* of them is a little uncertain. Its *standard error* is the standard deviation of the single values over √n, and within two standard errors of a measured mean lies the true one about 19 times out of 20. Below, length 10 is compared with the others direction by direction, and each mean difference is given ± two standard errors: if that interval holds 0, the two lengths cannot be told apart.
#
# **Predict**: will 7.1, the middle of the straight line, cost confidence? And 5, and 14.1?

# %% slide="What another length costs is said with its uncertainty"
with torch.enable_grad():
    digits = data.load("mnist")
    expert = judge.train(digits, epochs=here.pick(ci=2, cpu=1, colab=2, full=2))
how_many = here.pick(ci=200, cpu=3_000, colab=3_000, full=5_000)
units = torch.nn.functional.normalize(latent.draw(how_many, 100, seed=5))
by_length, shorter = {}, {}
for length in (10.0, 5.0, 7.1, 14.1):
    made = generators["quick-digits"](length * units)
    verdict = by_length[length] = judge.verdict(expert, data.to_uint8(made))
    seen = f"confidence {verdict.confidence.mean():.3f}, balance {verdict.balance:.2f}"
    print(f"length {length:4.1f}: {seen}, spread of a pixel {made.std(dim=0).mean():.2f}", end="")
    if length == 10:
        print()
        continue
    difference = verdict.confidence - by_length[10.0].confidence
    change, margin = difference.mean().item(), 2 * difference.std().item() / how_many**0.5
    shorter[length] = change, margin
    print(f"; {change:+.3f} ± {margin:.3f},", "no difference shown" if abs(change) < margin else "a difference")

# %% [markdown]
# So what a length of 7.1 costs this generator stands in its line, with what is certain about it. The reason to prefer the arc is that a generator was trained on lengths near 10 and on no other; how much it minds is a question to each generator.
#
# "Interpolation is smooth" is another claim of the report (section 4.3). The network is continuous, so it cannot jump; but it can hurry. Take 60 equal steps along an arc, and compare the largest change of the picture with the mean one: 1 would be an even walk, and 60 a walk that changes in one single step.

# %%
t = torch.linspace(0, 1, 61)
many = here.pick(ci=5, cpu=50, colab=50, full=100)
for name, title in names.items():
    hurry = []
    for a, b in zip(*latent.draw(2 * many, 100, seed=6).chunk(2)):
        path = generators[name](floats(slerp(a, b, t))).flatten(1)
        step = (path[1:] - path[:-1]).norm(dim=1)
        hurry.append((step.max() / step.mean()).item())
    print(f"{title:8} largest step over mean: median {np.median(hurry):.1f}, most of {many} {max(hurry):.1f}")

# %% [markdown]
# Far from a jump, and not quite even. Between four anchors there is a square of pictures:

# %%
corners = torch.cat([latent.draw(1, 100, seed=seed) for seed in (0, 5, 8, 2)])
show.grid(
    data.to_uint8(generators["quick-digits"](latent.square(corners, 8))),
    "Eight by eight digits. Those in the corners are four anchors; between them each digit turns into the next.",
    columns=8,
)

# %% [markdown]
# The same to move about in, with the anchors in the corners and the picture of the point between them in the middle; *lerp* is the straight line.

# %% slide="Between four anchors there is a square of pictures"
widgets.interpolator("quick-digits", anchors=4, seeds=(0, 5, 8, 2))

# %% [markdown]
# ## 4 · A walk that comes home
#
# Two latents span a plane, and the circle around the origin through the first one stays at its length all the way. It makes a film without a beginning.

# %% slide="A circle through latent space is a film without a beginning"
frames = here.pick(ci=8, cpu=36, colab=36, full=36)
a, b = latent.draw(24, 100, seed=8).chunk(2)
rounds = torch.stack([latent.circle(p, q, frames) for p, q in zip(a, b)], dim=1)  # [frames, 12, 100]
film = [mosaic.tile(generators["quick-faces"](z), 6) for z in rounds]
show.animation(
    film,
    "Twelve generated faces walk around a circle in latent space and change continuously; after one round all twelve "
    "are back where they were.",
    ms=100,
    hold=100,
    quality=60,
)

# %% [markdown]
# ## 5 · Arithmetic with attributes
#
# Radford, Metz and Chintala (2016, section 6.3.2) made GANs famous with "man with glasses − man + woman = woman with glasses", each word the mean of three latents. Means are the right idea: what the latents of many pictures with an attribute have in common is what the attribute needs; the rest averages out. The difference of two means, "with glasses" − "without", is a direction that can be added to any latent.
#
# ### Exercise 5.3 · The direction of an attribute
# Difficulty ●●○○○ · 10 minutes · why it matters: with it every labelled property of pictures becomes a slider.
#
# Given latents `z` [n, 100] and a bool tensor `has` [n] that says whose picture has the attribute, return the vector from the mean latent of those without it to the mean of those with it.
#
# <details><summary>Hint 1</summary>
#
# Two groups of rows, two means, and an arrow between them: from which to which?
#
# </details>
# <details><summary>Hint 2</summary>
#
# `z[has]` are the rows where `has` is true, `z[~has]` the others. A mean over rows is `mean(0)`.
#
# </details>

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
#
# A direction between means carries along whatever goes together in the pictures. What does, in the drawn ones? Count each pair of attributes beside what would be expected if the two had nothing to do with each other, share times share times number.

# %%
ATTRIBUTES = ("Wearing_Hat", "Long_Hair", "Eyeglasses", "Bald")
known = portraits.draw(here.pick(ci=600, cpu=3_000, colab=6_000, full=10_000))
unseen = portraits.draw(here.pick(ci=100, cpu=500, colab=1_000, full=2_000), seed=1)
classifiers = {}
for attribute in ATTRIBUTES:
    train, test = (
        replace(faces, labels=faces.having(attribute).long(), classes=("without", "with"))
        for faces in (known, unseen)
    )
    with torch.enable_grad():
        classifiers[attribute] = judge.train(train, epochs=here.pick(ci=8, cpu=4, colab=6, full=6))
    right, share = judge.accuracy(classifiers[attribute], test), test.labels.float().mean().item()
    common = max(share, 1 - share)
    print(f"{attribute:12} right on {right:4.0%} of unseen drawn faces; the commoner answer: {common:4.0%}")
print(f"of {len(known):,} drawn faces:")
for first, second in itertools.combinations(ATTRIBUTES, 2):
    one, other = known.having(first), known.having(second)
    expected = one.float().mean() * other.float().sum()
    print(f"  {first + ' and ' + second:26} {(one & other).sum():4d} with both, {expected:4.0f} expected")

# %% [markdown]
# Two pairs exclude each other: no drawn face is bald and has long hair, and none is bald with a hat (what a hat hides does not count). The other four are drawn independently, and their counts lie near what is expected.
#
# Now generate, classify, and take means. To see whether a direction does what its name says, move *other* latents along it and ask the classifiers again, about this attribute and about the other three, which should stay. And because any push changes something, push along random directions of the same length, too. **Predict**: what becomes of hats and of long hair on the way towards "bald"? And of "bald" on the way towards long hair?


# %%
def marked(z):
    """Whose picture has each attribute, as the classifiers see it, bool [attributes, n]."""
    images = pictures("quick-faces", z)
    return torch.stack([judge.verdict(classifiers[name], images).seen == 1 for name in ATTRIBUTES])


learned_from = latent.draw(here.pick(ci=200, cpu=3_000, colab=4_000, full=8_000), 100, seed=10)
others = latent.draw(here.pick(ci=50, cpu=800, colab=1_000, full=2_000), 100, seed=11)
before = marked(others).float().mean(1)


def after(direction, length=4.0):
    """The share of pictures with each attribute when `others` are moved along a direction, [attributes]."""
    return marked(others + length * direction / direction.norm()).float().mean(1)


directions = {}
for name, has in zip(ATTRIBUTES, marked(learned_from)):
    if has.any() and not has.all():
        directions[name] = floats(direction(learned_from, has))
    else:
        print(f"{name}: seen on {has.sum()} of {len(has)} generated faces, so there is no direction")
moved = {name: after(d) for name, d in directions.items()}
some_random = latent.draw(here.pick(ci=3, cpu=8, colab=8, full=8), 100, seed=12)
by_chance = torch.stack([after(d) for d in some_random])

# %% slide="A difference of two means is a direction: does the attribute come and go?"
walk = torch.linspace(-4, 4, 5)
shown = {}
for name, d in list(directions.items())[:2]:
    walked = others[:6] + walk[:, None, None] * d / d.norm()
    shown[name] = pictures("quick-faces", walked.flatten(0, 1))
show.beside(
    shown or {"as they were": pictures("quick-faces", others[:6])},
    "Six generated faces, one a column, moved along the directions of two attributes: against the direction in the "
    "upper rows, as they were in the middle row, along it in the lower ones.",
    columns=6,
)

# %% [markdown]
# First look: do *you* see the attribute come and go? Then ask the classifiers: the share of pictures with each attribute, in percent, when the other latents move by 4.

# %% slide="Ask the classifiers what else moved along"
rows = {"as they were": before} | {f"towards {name}": row for name, row in moved.items()}
rows |= {f"{len(by_chance)} random: lowest": by_chance.amin(0), "highest": by_chance.amax(0)}
print(f"{'':20}" + "".join(f"{name:>13}" for name in ATTRIBUTES))
for name, row in rows.items():
    print(f"{name:>20}" + "".join(f"{100 * value:13.0f}" for value in row))

# %% [markdown]
# Read it column by column. In the row of its own name a share should be far above "as they were" and above what any random direction did; in the other rows it should stay. Where it did not stay, ask three questions.
#
# *Had it anything to lose?* A share can fall to 0 and no further. So an attribute that few have seems hardly touched by anything that takes it away. Where few are bald, "towards Long_Hair" cannot take many away, and that is no sign that the two are independent: in the drawn faces they exclude each other, as counted above. *Does a random push do as much?* What lies between the lowest and the highest of the random directions may be chance. *Do the two go together in the drawn faces?* Bald does, with hats and with long hair, and means know no causes. For the rest, the generator can have learnt some things better than others, and the classifiers are asked about pictures of a kind they have not seen.
#
# Your directions as sliders:

# %% slide="With a direction, every labelled property becomes a slider"
widgets.latent_explorer("quick-faces", directions, start=tuple(directions)[:3] or (0,))

# %% [markdown]
# ## 6 · Directions found in the weights
#
# An attribute's direction needs labels. *SeFa* (Shen and Zhou, 2021) needs nothing but the weights. A generator's first layer is linear: it takes z to Az. A unit step d in latent space moves what comes out of it by Ad. The unit vector with the largest |Ad|² = dᵀAᵀAd is the eigenvector of AᵀA with the largest eigenvalue; the largest at right angles to it is the next eigenvector, and so on. (BatchNorm comes after that layer and rescales each channel; SeFa does not look at it.)
#
# ### Exercise 5.4 · What a matrix stretches most
# Difficulty ●●●○○ · 15 minutes · why it matters: two lines of linear algebra, and the order of what `eigh` returns has cost many people an afternoon.
#
# For A [outputs, latent_dim], return the eigenvalues of AᵀA, the largest first, and the unit directions as *rows* in the same order. `torch.linalg.eigh` takes a symmetric matrix and returns the eigenvalues in ascending order, and the eigenvectors as columns.
#
# <details><summary>Hint 1</summary>
#
# What shape has AᵀA, and how many eigenvectors of which length? `A.T` is the transpose, `@` the product.
#
# </details>
# <details><summary>Hint 2</summary>
#
# `flip(0)` turns a row of numbers around. For the eigenvectors, turn the order of the *columns* around, `flip(1)`, and make rows of them.
#
# </details>

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
found = {}
for name, generator in generators.items():
    kernel = next(generator.parameters())
    A = kernel.flatten(1).T
    found[name] = tuple(map(floats, stretched(A)))  # eigenvalues, directions
    same = torch.allclose(found[name][0][:5], latent.sefa(generator, 5)[0], rtol=1e-3)
    print(f"{name:13} kernel {list(kernel.shape)}, A {list(A.shape)}; as latent.sefa finds them: {same}")

# %% slide="The first layer stretches a few directions far more than the rest"
figure, axes = show.new_figure(9, 3.2, ncols=3)
steepest = {}
for ax, (name, title) in zip(axes, names.items()):
    values, _ = found[name]
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
    """Of each direction: how much the picture changes, in grey levels, and how alike on different pictures."""
    made = [changes(generators[name], d) for d in directions]
    return np.array([[c.abs().mean().item() * 127.5, agreement(c)] for c in made])


print("means of                 grey levels from −2 to +2      agreement, and lowest to highest")
for name, title in names.items():
    rows = found[name][1]
    groups = {"first 5 found": rows[:5], "at random": at_random[:10], "last 5 found": rows[-5:]}
    measured = {group: size_and_agreement(name, some) for group, some in groups.items()}
    for group, both in measured.items():
        (grey, agree), low, high = both.mean(0), both[:, 1].min(), both[:, 1].max()
        print(f"{title:9}{group:16}{grey:14.1f} {agree:30.2f}   {low:.2f} to {high:.2f}")
    first, random, last = (both[:, 0].mean() for both in measured.values())
    assert first > random > last

# %% slide="Directions found in the weights: no label and no picture was needed"
walk = torch.linspace(-4, 4, 7)[:, None]
three = latent.draw(3, 100, seed=14)
show.beside(
    {
        f"found {i}": torch.cat([pictures("quick-faces", z + walk * d) for z in three])
        for i, d in enumerate(found["quick-faces"][1][:2], 1)
    },
    "Three faces, one a row, moved from minus four to four along the first and the second direction found in the "
    "weights.",
    columns=7,
)

# %% [markdown]
# In all three generators the directions that the first layer stretches most change the picture more than random ones, and those that it stretches least change it least: one layer of weights foretells it, and not a picture was made. Whether the change is also more alike from picture to picture than along a random direction, read off the ranges in the last column: where those of the first five and of the random ones overlap, it is not shown. Nobody told these directions what to do, so nobody can say beforehand what they will do: it takes a person who looks, or a classifier, to give them names.
#
# ## 7 · The way back
#
# From z to a picture is one pass. From a picture to z is a search: start somewhere, compare G(z) with the picture, and let the gradient move z. The weights stay.
#
# Start where? z = 0 offers itself, the mean of all draws. But section 1 said that no draw is ever near it. **Predict**: how long is the gradient there, beside that at a draw?

# %% slide="Where nothing comes through the first ReLU, z = 0 is a dead spot"
begin = latent.draw(1, 100, seed=22)
for name, title in names.items():
    G, target = generators[name], generators[name](latent.draw(1, 100, seed=23))
    lengths = []
    with torch.enable_grad():
        for start in (torch.zeros(1, 100), begin):
            z = start.clone().requires_grad_()
            (G(z) - target).square().mean().backward()
            lengths.append(z.grad.norm().item())
    first_relu = next(i for i, layer in enumerate(G.layers) if list(layer.parameters()))  # its block ends in one
    awake = (G.layers[: first_relu + 1](torch.zeros(1, 100)) > 0).float().mean().item()
    print(f"{title:8} gradient at z = 0: {lengths[0]:.4f}, at a draw: {lengths[1]:.4f}", end="")
    print(f"; of the first ReLU's outputs {awake:.1%} are above 0 at z = 0")

# %% [markdown]
# Where nothing comes through the first ReLU, z = 0 is a dead spot: the gradient is exactly 0, and no search that starts there ever moves. The first convolution has no bias and makes 0 of 0, BatchNorm makes one number a channel of that, and if training has left all of these negative, it takes a z of some length to lift anything above 0. That does no harm while no draw is ever there. So start on the shell.
#
# ### Exercise 5.5 · Inversion
# Difficulty ●●●○○ · 20 minutes · why it matters: every edit of a *given* picture by a GAN begins with it.
#
# Write a loop that finds a latent for `picture` [C, H, W] in [−1, 1]: begin at a copy of the latent `start` [latent_dim], and let Adam with a rate of 0.1 minimise the mean square difference between G(z) and the picture, over z alone. G takes z of shape [1, latent_dim]. Gradients are switched off in this notebook: put your loop under `with torch.enable_grad():`. Return z without its graph, of shape [latent_dim]. The check tries a small linear generator, on which 200 steps bring the error below 1 % of where it begins.
#
# <details><summary>Hint 1</summary>
#
# It is the training loop of lesson 02 with one network, one picture, and z in the place of the weights. What does the optimiser get, and what must it not get?
#
# </details>
# <details><summary>Hint 2</summary>
#
# `z = start[None].clone().requires_grad_()` and `torch.optim.Adam([z], lr=0.1)`. A step is `zero_grad`, the loss `(G(z) - picture).square().mean()`, its `backward`, `step`.
#
# </details>
# <details><summary>Hint 3</summary>
#
# `z.detach()` is z without its graph; `[0]` takes the only row.
#
# </details>

# %%
def invert(G, picture, start, steps=200):
    """A latent [latent_dim] whose picture is near the given one, found from a start [latent_dim]."""
    # solution
    with torch.enable_grad():
        z = start[None].clone().requires_grad_()
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
# The package's `latent.invert` does the same from several draws at once, because a search can end in a poor valley, and adds a weak pull on the length, 0.001 times the mean square of z, against leaving the shell. Four kinds of pictures for the digits' generator: its own (a latent exists), real digits (is there one?), clothes and noise. For its own and real digits your `invert` searches, too; and for real digits the package once more, with a pull ten times as strong. **Predict** the order of the errors, and which of the latents stay as long as draws are.

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
steps, starts = here.pick(ci=20, cpu=250, colab=300, full=500), here.pick(ci=2, cpu=5, colab=8, full=16)


def package(wanted, pull=1e-3):
    """The latents [n, 100] that `latent.invert` finds."""
    G = generators["quick-digits"]
    found = [latent.invert(G, one, steps=steps, starts=starts, pull=pull, progress=False) for one in wanted]
    return torch.stack([one.z for one in found])


def yours(wanted):
    """The latents [n, 100] that your function finds."""
    G = generators["quick-digits"]
    return torch.stack([floats(invert(G, data.to_signed(one), begin[0], steps)) for one in wanted])


searches = {name: (name, package(wanted)) for name, wanted in kinds.items()}
searches |= {f"{name}, yours": (name, yours(kinds[name])) for name in ("its own", "real digits")}
searches["real digits, pulled"] = "real digits", package(kinds["real digits"], pull=0.01)

# %% slide="Not every picture has a latent"
errors = {}
print(f"after {steps} steps        error, grey levels                    length of z")
print("                      mean   best  worst  all black      mean, least and most")
for name, (kind, z) in searches.items():
    errors[name] = (pictures("quick-digits", z).float() - kinds[kind]).square().mean((1, 2, 3)).sqrt()
    black = kinds[kind].float().square().mean((1, 2, 3)).sqrt().mean()  # the error of an all-black picture
    error, length = errors[name], z.norm(dim=1)
    print(
        f"{name:19}{error.mean():7.1f}{error.min():7.1f}{error.max():7.1f}{black:11.1f}"
        f"{length.mean():10.1f}, {length.min():.1f} to {length.max():.1f}"
    )
show.beside(
    {
        name: torch.cat([wanted[:4], pictures("quick-digits", searches[name][1][:4])])
        for name, wanted in kinds.items()
    },
    "Upper row what was wanted, lower row the nearest picture that was found, for the generator's own pictures, real "
    "digits, clothes and noise.",
    columns=min(4, n),
)

# %% [markdown]
# (The error is the root of the mean square difference of the pixels.) The error on the generator's own pictures is what the search leaves undone, for there a latent exists; only what is larger says something about the generator. (The 20 steps of profile `ci` leave nearly everything undone.) For clothes and noise the search returns the least wrong thing that it has met. A GAN has no encoder and no obligation to contain a given picture.
#
# Now the lengths. Draws have 10 ± 0.7 (section 1). Where a row says more than about 11.4, two standard deviations above, or less than 8.6, the search has left the shell: the weak pull did not hold it, and your `invert` has none. Nobody stops a search from looking where the generator was never trained. Did it have to go there? Compare the two rows for real digits that differ in the pull alone: with ten times the pull z is shorter, and the errors beside it say what that costs, if anything. Whoever wants to walk on from a latent that was found should look at its length first.
#
# ## 8 · Latent space and time
#
# The published runs of this lesson keep copies of their generator along its training. Fix the latents and go through time: when does a z begin to mean "a seven"? One slider walks around a circle, the other through training.

# %% slide="Fix the latents, and go through time"
widgets.time_scrubber("quick-digits")

# %% slide="A latent's digit is not settled early"
run = runs.find("quick-digits")
fixed = latent.draw(here.pick(ci=100, cpu=1_000, colab=1_000, full=1_000), 100, seed=30)
verdicts = [judge.verdict(expert, data.to_uint8(run.generator(step=step)(fixed))) for step in run.snapshots]
images_seen = [step * run.recipe.batch / 1000 for step in run.snapshots]
last = verdicts[-1]


def same(one, other):
    """The share of latents with the same digit at two copies, and what it would be by chance."""
    return (one.seen == other.seen).float().mean().item(), (one.shares @ other.shares).item()


kept = [same(one, next_one) for one, next_one in zip(verdicts, verdicts[1:])]
final = [same(one, last) for one in verdicts[:-1]]
figure, ax = show.new_figure(9, 3)
for x, found_same, color, label in (
    (images_seen[1:], kept, show.BLUE, "same digit as at the copy before"),
    (images_seen[:-1], final, show.ORANGE, "already its final digit"),
):
    shares, chances = zip(*found_same)
    ax.plot(x, shares, marker="o", color=color, label=label)
    ax.plot(x, chances, color=color, linewidth=1, linestyle=":", label="the same by chance")
ax.set(xlabel="thousand real images seen", ylabel="share of latents", ylim=(0, 1.05))
ax.legend(loc="center left", bbox_to_anchor=(1, 0.5))
for images, verdict in list(zip(images_seen, verdicts))[:4]:
    commonest = verdict.shares.argmax()
    print(f"after {1000 * images:7,.0f} images the judge sees a {commonest} in {verdict.shares[commonest]:.0%}")
for i in (len(verdicts) // 2, len(verdicts) - 2):
    one, share = verdicts[i], final[i][0]
    certain = (one.confidence >= 0.9) & (last.confidence >= 0.9)
    clear = (one.seen == last.seen)[certain].float().mean()
    print(f"after {1000 * images_seen[i]:7,.0f} images {share:.0%} have their final digit;", end=" ")
    print(f"of the {certain.float().mean():.0%} that the judge is sure of then and at the end, {clear:.0%}")
show.figure(
    figure,
    f"Of {len(fixed):,} latents, in blue the share whose digit (as the judge sees it) is the same as at the copy "
    f"before, {kept[0][0]:.0%} at first and {kept[-1][0]:.0%} at last; in orange the share that has its final digit "
    f"already, {final[0][0]:.0%} at the start and {final[-1][0]:.0%} at the last copy but one. Dotted, what chance "
    "would give.",
)

# %% [markdown]
# Begin at the left, where the blue curve can mislead. An untrained generator makes grey squares, and the judge, which knows ten digits and nothing else, has to call them something: nearly all of them the same thing. Two copies that both make grey squares "agree", and it means nothing. What chance alone would give is therefore no fixed 10 %: it is the sum, over the digits, of the two shares multiplied, and the dotted lines show it. Only what lies above its dotted line is news.
#
# Then the orange curve. It climbs until the end: a latent's digit is not settled early. What is missing to 100 % has two parts. Some pictures are no clear digit, and the judge calls them now this, now that; therefore the last two lines also count those alone of which it is sure both times. What is missing there is latent space that has changed hands, from one digit to another; read how much that is from the middle of the training on, and how much between the last two copies. And here is the run itself, to be played in a lecture:

# %%
widgets.training_player("quick-digits")

# %% [markdown] slide="What a latent space is not"
# ## 9 · What a latent space is not
#
# - **Not a list of attributes.** An axis has no meaning of its own; directions mean something on average, more or less.
# - **Not a map of all pictures.** What the generator never learned has no address.
# - **Not the same twice.** Another seed gives another space: nothing ties a direction of one run to that of another.
# - **Not causal.** A direction made from means carries along whatever goes together, in the data or in the generator.
# - **Not flat.** Equal steps in z are not equal steps in the picture.
#
# ## 10 · Edit a picture that is given
#
# ### Exercise 5.6 · Find, aim, turn
# Difficulty ●●●●○ · 25 minutes · why it matters: it is what all of this lesson is for, and each part can go wrong in the ways that you have measured.
#
# Give a portrait that no generator has made another attribute, and leave one attribute as it is:
#
# 1. *Find* the latent z of the `picture` with your `invert`, starting at the one of the `latents` [n, latent_dim] whose picture is nearest.
# 2. *Aim*: `has` and `keep` are functions that say of pictures [n, C, H, W], as G makes them, whose has an attribute, bool [n]. Ask both about G's pictures of the `latents`, and take two directions, d and k, with your `direction`. Some of d may lie along k; that part would change what is to be kept. Take it off: what remains, $d - \frac{d \cdot k}{|k|^2}\, k$, is at right angles to k.
# 3. *Turn*: with your `slerp`, go from z towards that direction, at the length of z, by the shares `turns` of the whole arc (the first is 0). So no picture comes from a latent longer or shorter than the one that was found.
#
# Return G's pictures along the arc, [len(turns), C, H, W] in −1 … 1. The check takes a linear generator, two attributes that often go together, and follows your latents back.
#
# <details><summary>Hint 1</summary>
#
# `images = G(latents)` serves twice. Each of the three steps is two lines at most; which of your functions does it call, and which shapes go in and out?
#
# </details>
# <details><summary>Hint 2</summary>
#
# The nearest is `(images - picture).square().mean((1, 2, 3)).argmin()`. `d @ k` is a number, and so is `k @ k`, which is |k|². Take the part off before you give the direction a length.
#
# </details>
# <details><summary>Hint 3</summary>
#
# slerp goes from z to `d * z.norm() / d.norm()`. G computes in float32: if a function of yours returns another type, or NumPy, `floats(…)` of the first cell mends it.
#
# </details>

# %%
def edit(G, picture, latents, has, keep, turns):
    """A picture [C, H, W], found and turned towards an attribute, another kept: [len(turns), C, H, W]."""
    # solution
    images = G(latents)
    nearest = (images - picture).square().mean((1, 2, 3)).argmin()
    z = invert(G, picture, latents[nearest])
    d, k = direction(latents, has(images)), direction(latents, keep(images))
    d = d - (d @ k) / (k @ k) * k
    return G(slerp(z, d * z.norm() / d.norm(), turns))
    # end solution


# %%
lesson_05.exercise_6(edit)

# %% [markdown]
# Now given ones: drawn faces that no generator has made, without the attribute that they are to get. The classifiers of section 5 answer for `has` and `keep`.

# %% slide="What the search loses, no edit brings back"
gain = {name: row - before for name, row in moved.items()}
able = [name for name in directions if name != "Bald"]  # whoever is bald can keep neither hat nor long hair
wanted = max(able, key=lambda name: gain[name][ATTRIBUTES.index(name)])  # what its own direction brings best
rest = [name for name in directions if name != wanted]
kept_one = max(rest, key=lambda name: gain[wanted][ATTRIBUTES.index(name)].abs())
print(f"the faces are to get {wanted}; what moved most along with it, {kept_one}, is to be kept")


def asking(name):
    """A function that says whose picture has an attribute."""
    return lambda images: judge.verdict(classifiers[name], data.to_uint8(images)).seen == 1


given = unseen.images[~unseen.having(wanted)][: here.pick(ci=2, cpu=5, colab=6, full=6)]
turns = torch.tensor([0.0, 0.1, 0.2, 0.3])
aimed = learned_from[: here.pick(ci=200, cpu=1_000, colab=2_000, full=4_000)]
G, ask = generators["quick-faces"], (asking(wanted), asking(kept_one))
edited = [data.to_uint8(floats(edit(G, data.to_signed(face), aimed, *ask, turns))) for face in given]
edited = torch.stack(edited)  # [faces, turns, C, H, W]
off = (edited[:, 0].float() - given).square().mean((1, 2, 3)).sqrt()
print(f"from the given faces to what was found: {off.mean():.0f} grey levels ({off.min():.0f} to {off.max():.0f})")
for name in (wanted, kept_one):
    has = asking(name)
    counts = [int(has(data.to_signed(edited[:, i])).sum()) for i in range(len(turns))]
    print(f"{name:12} of {len(given)}: given {int(has(data.to_signed(given)).sum())}, along the arc", *counts)
show.grid(
    torch.cat([given[None], edited.transpose(0, 1)]).flatten(0, 1),
    f"Drawn faces, and below each the nearest that the generator was found to make, then three steps towards {wanted}.",
    columns=len(given),
)

# %% [markdown]
# Look first at the second row: it is all that the edit has of the face it was given, and what is lost there no direction brings back. Then down a column: does the attribute come, and who is it that has it?
#
# A handful of faces proves nothing about directions. So turn the `others` of section 5 by a quarter of the arc: along the attribute's direction, along what remains of it at right angles to the other, and along random ones.

# %% slide="What was taken off the direction: did it keep what was to be kept?"
d, k = directions[wanted], directions[kept_one]
aims = {f"towards {wanted}": d, f"{kept_one} taken off": d - (d @ k) / (k @ k) * k}
aims |= {f"random {i}": one for i, one in enumerate(some_random[:3], 1)}
both = [ATTRIBUTES.index(wanted), ATTRIBUTES.index(kept_one)]
print(f"cosine of the two directions {torch.cosine_similarity(d, k, dim=0):+.2f}; percent of faces with")
print(f"{'':24}{wanted:>13}{kept_one:>13}")
print(f"{'as they were':24}" + "".join(f"{100 * share:13.0f}" for share in before[both]))
quarter = torch.tensor([0.25])
turned = {}
for name, aim in aims.items():
    z = torch.cat([floats(slerp(one, aim * one.norm() / aim.norm(), quarter)) for one in others])
    turned[name] = marked(z).float().mean(1)[both].tolist()
    print(f"{name:24}" + "".join(f"{100 * share:13.0f}" for share in turned[name]))

# %% [markdown]
# Did taking the part off keep what was to be kept? Compare the second column of the first three rows, with the random ones as a measure of what any turn does; and the first column, for what it cost. The latents' directions at right angles are one thing, the pictures' attributes another: G is not linear, and the classifiers are not G.

# %% tags=["showed"]
print(
    "dimensions 4 and 21 by influence: "
    + ", ".join(f"{t} {a} and {b}" for t, (a, b) in places.items())
    + " of 100;"
)
change, margin = shorter[7.1]
print(f"z of length 7.1 instead of 10: the judge's confidence changes by {change:+.3f} ± {margin:.3f};")
own = {name: 100 * row[ATTRIBUTES.index(name)].item() for name, row in gain.items()}
print(
    "attribute directions, points: "
    + ", ".join(f"{name} {value:+.0f}" for name, value in own.items())
    + ";"
)
print("inversion, grey levels: " + ", ".join(f"{name} {errors[name].mean():.0f}" for name in kinds))

# %% [markdown]
# ## What to remember
#
# - Draws from N(0, I) lie in a shell of radius √100; a generator has been trained on that shell and nowhere else.
# - Before you call a dimension special, measure the other 99, and directions at random.
# - An attribute's direction is a difference of means; check it on other latents, with your eyes and with a classifier.
# - The first layer's strongest directions come for free; their names do not.
# - Not every picture has a latent: look at the distance *and* the length of what inversion finds; what the search lost, no edit brings back.
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
# No. In the pictures that were averaged, smiling and long hair went together. Balance the two groups in everything else, or take the part along long hair off, as in exercise 5.6, and measure whether it helped.
# </details>
#
# <details><summary>One attribute falls from 3 % to 0 % along a direction, another from 40 % to 20 %. Which is hit harder?</summary>
# The first cannot fall further, so its 3 points say little; and both have to be held against what random directions do.
# </details>
#
# <details><summary>Inverting a real photograph gives a face that resembles nobody in it. Where does the difference come from?</summary>
# From the search (a face of the generator's own shows how much), from the generator's limits (it has no such face), and from the measure: a mean square difference of pixels does not know what matters in a face.
# </details>
#
# ## Where to read on
#
# - Alec Radford, Luke Metz, Soumith Chintala, *Unsupervised Representation Learning with Deep Convolutional GANs*, 2016, [arXiv:1511.06434](https://arxiv.org/abs/1511.06434): walks, and arithmetic with three examples a word.
# - Tom White, *Sampling Generative Networks*, 2016, [arXiv:1609.04468](https://arxiv.org/abs/1609.04468): spherical interpolation, and attribute vectors with balanced groups.
# - Yujun Shen, Bolei Zhou, *Closed-Form Factorization of Latent Semantics in GANs*, 2021, [arXiv:2007.06600](https://arxiv.org/abs/2007.06600): SeFa.
# - Erik Härkönen, Aaron Hertzmann, Jaakko Lehtinen, Sylvain Paris, *GANSpace*, 2020, [arXiv:2004.02546](https://arxiv.org/abs/2004.02546): directions from activations instead of weights.
# - Jun-Yan Zhu, Philipp Krähenbühl, Eli Shechtman, Alexei Efros, *Generative Visual Manipulation on the Natural Image Manifold*, 2016, [arXiv:1609.03552](https://arxiv.org/abs/1609.03552): inversion, and editing with it.
