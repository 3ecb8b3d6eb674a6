# %% [markdown]
# # 07 · Measuring GANs
#
# > After it you can compare two generators honestly, say what each usual number sees and what it is blind to, and deceive every one of them.
#
# {{badge}}
#
# **After this lesson you can**
#
# - say what is wanted of generated pictures before you choose a number,
# - derive and write the Fréchet distance, and say what it would be with endlessly many pictures,
# - write the kernel distance, the inception score, precision and recall, and catch a generator that copies,
# - say from a picture which fault each metric notices, because you have seen them tried on faults that were known,
# - turn an adjective ("more stable", "sharper") into a number with an interval, and find out whether it was right.
#
# | | two CPU cores | Colab T4 |
# |---|---|---|
# | minutes to run it all | about 1 | not measured yet |
# | minutes to read and solve it | about 195, in two sittings | about 195, in two sittings |
#
# **Two sittings.** Sections 1 to 7 write the numbers; sections 8 to 12 put them on trial.
#
# Read first: lesson 03 (the judge), lesson 05's section on attributes if you want to know the drawn faces.

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
from dataclasses import replace

import numpy as np
import torch
import torch.nn.functional as F

from gan_course import (
    data,
    devices,
    faults,
    files,
    judge,
    metrics,
    networks,
    portraits,
    profiles,
    recipes,
    runs,
    sampling,
    scoring,
    show,
    studies,
    terminal,
)
from gan_course.checks import lesson_07

SEED = 0
here = profiles.current()
device = devices.default()
clothes, unseen = data.load("fashion-mnist", device=device), data.load("fashion-mnist", split="test", device=device)
N = min(here.pick(ci=500, cpu=2_000, colab=5_000, full=10_000), len(unseen))  # pictures a set
real = unseen.images[:N].cpu()
print(f"profile {here.name}: {here.about}; computing on {devices.name(device)}")
print(clothes.source)
print(f"sets of {N:,} pictures")

# %% [markdown]
# ## 1 · What is wanted
#
# Two generators of clothes come with the course: `mlp-fashion`, fully connected, and `quick-clothes`, a small DCGAN. Which is better?

# %% slide="“Better” asks four questions"
G = {"dcgan": runs.find("quick-clothes").generator(device), "mlp": runs.find("mlp-fashion").generator(device)}
made = {name: sampling.sample(generator, N, seed=1) for name, generator in G.items()}
show.beside(
    {"real": real[:36], **{name: images[:36] for name, images in made.items()}},
    "36 clothes each: real ones, crisp; the DCGAN's, a little softer, most of them clothes, a few dark or broken; the MLP's, speckled, several of them smears.",
)

# %% [markdown]
# "Better" asks four different questions, and a generator can be good at one and bad at the next:
#
# - **fidelity**: could this picture be a real one? (asked of each *generated* picture)
# - **coverage**: could the generator have made this real one? (asked of each *real* picture; variety, modes)
# - **proportions**: does it make each kind as often as there are? (asked of the two distributions)
# - **novelty**: did it make something new, or does it repeat what it learned from?
#
# A generator that draws one perfect shoe for ever has all of the first and nothing of the second. The training set itself, shuffled, has all of the first three and nothing of the fourth.
#
# One thing is true of all numbers below: a number alone says nothing. It needs a **floor**: what *real* pictures get. So each set will be compared with N test pictures, and one of the sets is N training pictures. A perfect generator would do as they do, not better.
#
# ## 2 · The Fréchet distance
#
# **One number a picture.** Let real pictures have a normal distribution with mean m₁ and standard deviation s₁, generated ones m₂ and s₂. How far apart are they? Carry one heap onto the other, so that the mean *squared* way is least. On a line the cheapest plan keeps the order: the smallest goes to the smallest. Then x = m₁ + s₁t goes to y = m₂ + s₂t for every t of a standard normal, and
#
# $$\operatorname{E}(x - y)^2 = \operatorname{E}\big((m_1 - m_2) + (s_1 - s_2)\,t\big)^2 = (m_1 - m_2)^2 + (s_1 - s_2)^2,$$
#
# because E t = 0 and E t² = 1.
#
# **Predict**: how far is N(0, 1²) from N(3, 1²), from N(0, 3²), from N(3, 2²)?

# %% slide="Between two normal distributions the distance is a formula"
# NBVAL_CHECK_OUTPUT
t = torch.special.ndtri((torch.arange(100_000, dtype=torch.float64) + 0.5) / 100_000)  # a standard normal, in order
for (m1, s1), (m2, s2) in (((0, 1), (3, 1)), ((0, 1), (0, 3)), ((0, 1), (3, 2))):
    carried = ((m1 + s1 * t) - (m2 + s2 * t)).square().mean()
    print(f"from N({m1}, {s1}²) to N({m2}, {s2}²): carried in order {carried:.2f}, by the formula {(m1 - m2) ** 2 + (s1 - s2) ** 2}")

# %% [markdown] slide="The Fréchet distance: how far apart means and covariances are"
# **Many numbers a picture.** Now m is a vector and s² becomes the covariance matrix C. If C₁ and C₂ have the same axes, the line's formula holds along each of them, and with the eigenvalues λ (variances) it adds up to $|m_1 - m_2|^2 + \sum_i (\sqrt{λ_{1i}} - \sqrt{λ_{2i}})^2$. Multiply out: $\sum λ_{1i} + \sum λ_{2i} - 2 \sum \sqrt{λ_{1i} λ_{2i}}$. Sums of eigenvalues are traces, so
#
# $$\mathrm{FD} = |m_1 - m_2|^2 + \operatorname{tr} C_1 + \operatorname{tr} C_2 - 2 \operatorname{tr}\,(C_1 C_2)^{1/2},$$
#
# and this last form stays right when the axes differ (Dowson and Landau 1982). The trace of the root is the sum of the roots of the eigenvalues of $C_1 C_2$, which are real and never below 0, even though the product is not symmetric; rounding makes some of them −0.0000001.
#
# **Which numbers?** Pixels would do, and section 4 tries them. Heusel and others (2017) took what the last layer but one of Inception, a classifier of photographs, makes of a picture, and called the result FID. Inception knows photographs of 299 pixels. Ours knows what it is asked about: the course's **judge 1** of clothes, a small classifier whose last layer but one has 128 numbers. So say what it is, *Fréchet distance, judge 1*. It is never the FID of a paper.
#
# ### Exercise 7.1 · The Fréchet distance
# Difficulty ●●●○○ · 25 minutes · why it matters: the most quoted number of the field, and you will know each of its terms.
#
# `real` is [N, d], `fake` [M, d]: a row a picture. Covariances are divided by N − 1.
#
# <details><summary>Hint 1</summary>
#
# `x.T.cov()` is the [d, d] covariance of rows x [N, d], over N − 1. Which of its uses is a matrix product, and which an entry-by-entry one?
#
# </details>
# <details><summary>Hint 2</summary>
#
# `torch.linalg.eigvals(C1 @ C2)` returns complex numbers whose imaginary parts are rounding: take `.real`.
#
# </details>
# <details><summary>Hint 3</summary>
#
# Before the root, `.clamp_min(0)`. With fewer pictures than features many eigenvalues are 0; compute in `.double()`.
#
# </details>

# %%
def frechet_distance(real, fake):
    """Squared Fréchet distance of the normal distributions with these features' means and covariances."""
    # solution
    real, fake = real.double(), fake.double()
    c1, c2 = real.T.cov(), fake.T.cov()
    overlap = torch.linalg.eigvals(c1 @ c2).real.clamp_min(0).sqrt().sum()
    return (real.mean(0) - fake.mean(0)).square().sum() + c1.trace() + c2.trace() - 2 * overlap
    # end solution


# %%
lesson_07.exercise_1(frechet_distance)

# %% [markdown]
# Now let it grade. Beside the two generators stand sets whose faults we know: training pictures as they are (the floor), blurred, under noise, and the first five classes alone. **Predict** their order.

# %% slide="Every number needs a floor: what real pictures get"
expert = judge.load("fashion-mnist", device)
taken = clothes.images[:N].cpu()  # training pictures
half = clothes.images[clothes.labels < 5][:N].cpu()
sets = {
    "training pictures": taken,
    "dcgan": made["dcgan"],
    "mlp": made["mlp"],
    "blurred": faults.blur(taken, 1.0),
    "under noise": faults.noise(taken, 25.0),
    "five classes": half,
}


def features(images):
    """What judge 1 makes of pictures, [N, 128]."""
    return judge.look(expert, images)[0]


seen = {name: features(images) for name, images in sets.items()}
real_seen = features(real)
distances = {name: float(frechet_distance(real_seen, x)) for name, x in seen.items()}
for name, value in sorted(distances.items(), key=lambda pair: pair[1]):
    print(f"{name:18s} {value:7.2f}   {value / distances['training pictures']:5.0f} × the floor")

# %% [markdown]
# ## 3 · How many pictures?
#
# The floor is not 0, although both sets are real. Two samples of N pictures have means and covariances that differ by chance, every difference counts as distance, and none counts as less than nothing. So the Fréchet distance is **biased**: too large, by about a constant over N (Chong and Forsyth 2020). **Predict**: with half as many pictures, what does the floor become?

# %% slide="The distance is biased: with half as many pictures the floor doubles"
TOTAL = min(here.pick(ci=1_000, cpu=8_000, colab=10_000, full=10_000), len(unseen))
PARTS = (8, 4, 2, 1)
many_real = features(unseen.images[:TOTAL])
many = {
    "training pictures": features(clothes.images[-TOTAL:]),
    **{name: features(sampling.sample(generator, TOTAL, seed=2)) for name, generator in G.items()},
}


def by_size(real, fake):
    """The distance of disjoint parts of both, averaged, for each number of parts in PARTS."""
    pairs = [list(zip(real.tensor_split(k), fake.tensor_split(k))) for k in PARTS]
    return torch.tensor([sum(float(frechet_distance(a, b)) for a, b in some) / len(some) for some in pairs])


sizes = torch.tensor([TOTAL / k for k in PARTS])
measured = {name: by_size(many_real, x) for name, x in many.items()}
rows = [("N", *(f"{n:.0f}" for n in sizes))]
rows += [(name, *(f"{value:.2f}" for value in values)) for name, values in measured.items()]
print(terminal.aligned(rows, numbers=True))

# %% [markdown]
# Measured at N = 500 and quoted beside somebody's value at 10,000, a generator looks worse than it is. What would it be with endlessly many pictures? Over **1/N** the values lie near a line, and where the line meets 1/N = 0 no bias is left.
#
# ### Exercise 7.2 · Endlessly many pictures
# Difficulty ●●○○○ · 10 minutes · why it matters: it makes numbers comparable that were measured at different N.
#
# `sizes` and `distances` are tensors [K]. Return the height at 0 of the least-squares line of the distance over 1/N.
#
# <details><summary>Hint 1</summary>
#
# With x = 1/N the slope is Σ (x − x̄)(y − ȳ) / Σ (x − x̄)².
#
# </details>
# <details><summary>Hint 2</summary>
#
# The line goes through (x̄, ȳ): follow it from there to x = 0.
#
# </details>

# %%
def at_infinity(sizes, distances):
    """The distance that endlessly many pictures would have."""
    # solution
    x, y = 1 / sizes, distances
    slope = ((x - x.mean()) * (y - y.mean())).sum() / (x - x.mean()).square().sum()
    return y.mean() - slope * x.mean()
    # end solution


# %%
lesson_07.exercise_2(at_infinity)

# %% slide="Where the line meets 1/N = 0, no bias is left"
figure, axes = show.new_figure(8, 3.6)
limits = {name: float(at_infinity(sizes, values)) for name, values in measured.items()}
for (name, values), colour in zip(measured.items(), (show.BLUE, show.GREEN, show.RED)):
    axes.plot(1 / sizes, values, "o", color=colour, label=f"{name}: {limits[name]:.2f} at 0")
    axes.plot([0, 1 / sizes[0]], [limits[name], limits[name] + (values[0] - limits[name])], color=colour, lw=1)
axes.set(xlabel="1/N", ylabel="Fréchet distance, judge 1", xlim=(0, None), ylim=(-0.5, 1.4 * axes.get_ylim()[1]))
axes.legend(loc="upper left")
said = ", ".join(f"{name} {limit:.2f}" for name, limit in limits.items())
show.figure(figure, f"Fréchet distance over 1/N: points of each set near a rising line. At 1/N = 0: {said}.")

# %%
off = abs(limits["training pictures"]) / float(measured["training pictures"][0])
print(f"at N = {sizes[0]:.0f} the floor is {measured['training pictures'][0]:.2f}, extrapolated {limits['training pictures']:.2f}: {off:.0%} of it is left")
for name in G:
    print(f"{name}: {measured[name][0]:.2f} at N = {sizes[0]:.0f}, {measured[name][-1]:.2f} at N = {sizes[-1]:.0f}, {limits[name]:.2f} extrapolated")

# %% [markdown]
# ## 4 · Whose features?
#
# A judge's features are its own. Here are three other pairs of eyes: a judge of another seed that you train now on a part of the clothes, the same network with random weights that has never learned anything, and no network at all, the pixels. Their distances are in other units, so compare each with the floor in the same eyes. **Predict** what survives: the order of all six, of some, of none?

# %% slide="A fault is many floors away in some eyes, hardly one in others"
some = replace(clothes, images=clothes.images[:20_000], labels=clothes.labels[:20_000])
own_judge = judge.train(some, epochs=here.pick(ci=1, cpu=1, colab=4, full=6), seed=5)
with torch.random.fork_rng():
    torch.manual_seed(SEED)
    untrained = judge.Judge(1, 28, 10).eval().to(device)
eyes = {
    "judge 1": features,
    "own judge": lambda images: judge.look(own_judge, images)[0],
    "random weights": lambda images: judge.look(untrained, images)[0],
    "pixels": lambda images: images.flatten(1).float() / 255,
}
found = {}
for name, look in eyes.items():
    here_real = look(real)
    found[name] = {which: float(frechet_distance(here_real, look(images))) for which, images in sets.items()}
rows = [("set", *eyes)]
for which in sets:
    rows.append((which, *(f"{found[name][which] / found[name]['training pictures']:.1f}" for name in eyes)))
print("Fréchet distances, in parts of the floor in the same eyes\n")
print(terminal.aligned(rows, numbers=True))
print(f"\nown judge: right on {judge.accuracy(own_judge, unseen):.0%} of the test pictures")

# %%
pairs = [(a, b) for i, a in enumerate(sets) for b in list(sets)[:i]]
for name in list(eyes)[1:]:
    turned = [(a, b) for a, b in pairs if (found[name][a] < found[name][b]) != (found["judge 1"][a] < found["judge 1"][b])]
    words = ", ".join(f"{a} / {b}" for a, b in turned) or "none"
    print(f"{name}: {len(pairs) - len(turned)} of {len(pairs)} pairs in judge 1's order; turned around: {words}")

# %% [markdown]
# Look at the sizes as well as at the order: the same fault is many floors away in some eyes and a few in others. What a network was trained for decides what it sees; a classifier need only see what tells the classes apart. A pair that all eyes put in one order is a safer statement; a pair that they do not is a statement about eyes.
#
# ## 5 · Two more numbers
#
# **The kernel distance** needs no normal distributions. Choose a kernel k(x, y), a likeness of two pictures; if both sets come from one distribution, two pictures from the same set are no more alike than two from different sets:
#
# $$\mathrm{KD} = \operatorname{E}\,k(x, x') + \operatorname{E}\,k(y, y') - 2 \operatorname{E}\,k(x, y), \qquad k(x, y) = \left(\frac{x \cdot y}{d} + 1\right)^3$$
#
# for independent real x, x' and generated y, y' (Bińkowski and others 2018; "KID" in Inception's features). It is 0 for equal distributions. Estimate each mean over pairs of *different* pictures and the estimate is **unbiased**: right on average at any N, so that it even falls below 0 now and then. Pair a picture with itself, its own best likeness, and the bias is back.
#
# ### Exercise 7.3 · The kernel distance
# Difficulty ●●○○○ · 15 minutes · why it matters: a diagonal decides whether small samples mislead.
#
# `real` is [N, d], `fake` [M, d].
#
# <details><summary>Hint 1</summary>
#
# `(a @ b.T / d + 1) ** 3` is the table of all pairs. How many pairs of different pictures are there among N?
#
# </details>
# <details><summary>Hint 2</summary>
#
# The sum of a table less its `.trace()`, over N · (N − 1). Across both sets no pair is a picture with itself.
#
# </details>

# %%
def kernel_distance(real, fake):
    """Squared maximum mean discrepancy under (x·y/d + 1)³, unbiased."""
    # solution
    def kernel(a, b):
        return (a @ b.T / a.shape[1] + 1) ** 3

    def within(x):
        table = kernel(x, x)
        return (table.sum() - table.trace()) / (len(x) * (len(x) - 1))

    return within(real) + within(fake) - 2 * kernel(real, fake).mean()
    # end solution


# %%
lesson_07.exercise_3(kernel_distance)

# %% slide="The kernel distance has no bias, and noise all the same"
dice = torch.Generator().manual_seed(SEED)


def a_few(x):
    """100 rows at random."""
    return x[torch.randperm(len(x), generator=dice)[:100]].double()


rows = [("set", "FD at 100", f"at {N}", "KD at 100", f"at {N}")]
for name, x in seen.items():
    row = [name]
    for of in (frechet_distance, kernel_distance):
        values = np.array([float(of(a_few(real_seen), a_few(x))) for _ in range(20)])
        row += [f"{values.mean():.2f} ± {values.std():.2f}", f"{float(of(real_seen.double(), x.double())):.2f}"]
    rows.append(tuple(row))
print("100 pictures, 20 times: mean ± standard deviation, beside all pictures once\n")
print(terminal.aligned(rows, numbers=True))

# %% [markdown]
# The Fréchet distance of a hundred pictures is too large throughout, by more than its own scatter. The kernel distance's scatters around what all pictures give, and its scatter is no smaller in comparison: without bias is not without noise.
#
# **The inception score** (Salimans and others 2016) never looks at real pictures. A classifier gives each generated picture chances p(y|x) of the classes. They should be *sure* for each picture, and *all classes* should come up over the pictures, so p(y|x) should differ much from their mean p(y):
#
# $$\mathrm{IS} = \exp\ \operatorname{E}_x\,\mathrm{KL}\big(p(y|x)\,\|\,p(y)\big), \qquad \mathrm{KL} = \sum_y p(y|x)\,\big(\log p(y|x) - \log p(y)\big).$$
#
# **Predict** its smallest and its largest value for ten classes.
#
# ### Exercise 7.4 · The inception score
# Difficulty ●●○○○ · 10 minutes · why it matters: it was *the* number for years, and you are about to see what it does not ask.
#
# `chances` is [N, classes], each row adding up to 1. Where a chance is 0, p log p counts as 0.
#
# <details><summary>Hint 1</summary>
#
# p(y) is the mean over the pictures. The sum in KL runs over the classes, E over the pictures; exp comes last.
#
# </details>
# <details><summary>Hint 2</summary>
#
# `torch.xlogy(p, q)` is p log q, and 0 where p is 0.
#
# </details>

# %%
def inception_score(chances):
    """exp of the mean divergence of a picture's chances from their mean."""
    # solution
    overall = chances.mean(0, keepdim=True)
    return (torch.xlogy(chances, chances) - torch.xlogy(chances, overall)).sum(1).mean().exp()
    # end solution


# %%
lesson_07.exercise_4(inception_score)

# %% slide="The inception score lies between 1 and the number of classes"
# NBVAL_CHECK_OUTPUT
print(f"ten classes, seen surely and equally often: {float(inception_score(torch.eye(10).double())):.2f}")
print(f"one class, surely: {float(inception_score(torch.eye(10).double()[:1].expand(50, 10))):.2f}")
print(f"no idea: {float(inception_score(torch.full((50, 10), 0.1).double())):.2f}")

# %%
chances = {name: judge.look(expert, images)[1].softmax(1) for name, images in {"test pictures": real, **sets}.items()}
scores = {name: float(inception_score(p.double())) for name, p in chances.items()}
print(", ".join(f"{name} {value:.2f}" for name, value in scores.items()))
above = [name for name, value in scores.items() if value > scores["test pictures"] and name != "training pictures"]
print(f"above the test pictures': {', '.join(above) or 'none of the faulty sets'}")

# %% [markdown]
# ## 6 · Fidelity and coverage apart
#
# One distance mixes all questions. Kynkäänniemi and others (2019) ask the first two apart. Around each real picture draw a ball that reaches to its k-th nearest neighbour among the real ones (k = 3): where real pictures are dense the balls are small, in empty regions large. Together they are a guess of *where real pictures are*.
#
# - **precision**: the share of generated pictures that lie in at least one real picture's ball;
# - **recall**: the same with the sets exchanged: the share of real pictures in at least one generated picture's ball.
#
# ### Exercise 7.5 · Precision
# Difficulty ●●●○○ · 20 minutes · why it matters: half of the mistakes here look plausible and change who wins.
#
# Return the share for `real` [N, d], `fake` [M, d] and `k`.
#
# <details><summary>Hint 1</summary>
#
# `torch.cdist(a, b)` [len(a), len(b)] holds all distances. Every picture is its own nearest neighbour, at distance 0.
#
# </details>
# <details><summary>Hint 2</summary>
#
# `torch.cdist(real, real).kthvalue(k + 1).values`, [N], are the reaches. Compare `torch.cdist(fake, real)`, [M, N], with them: which axis belongs to the reach, and over which do you ask `any`?
#
# </details>

# %%
def precision(real, fake, k=3):
    """Share of the generated pictures in reach of a real one."""
    # solution
    reach = torch.cdist(real, real).kthvalue(k + 1).values
    return (torch.cdist(fake, real) <= reach).any(1).float().mean()
    # end solution


def recall(real, fake, k=3):
    """Share of the real pictures in reach of a generated one."""
    return precision(fake, real, k)


# %%
lesson_07.exercise_5(precision)

# %% [markdown]
# In the plane one can see it. Real points form a ring and one of them lies far out; the generator makes half of the ring, and a few points in the middle of nowhere.

# %% slide="An outlier's huge ball excuses strays; density counts them"
dice = torch.Generator().manual_seed(SEED)
angle = 2 * torch.pi * torch.rand(60, generator=dice)
ring = torch.stack([angle.cos(), angle.sin()], 1) + 0.1 * torch.randn(60, 2, generator=dice)
ring[0] = torch.tensor([2.6, 1.0])  # an outlier
angle = torch.pi * torch.rand(40, generator=dice)
arc = torch.stack([angle.cos(), angle.sin()], 1) + 0.1 * torch.randn(40, 2, generator=dice)
arc[:6] = torch.tensor([1.9, 0.9]) + 0.15 * torch.randn(6, 2, generator=dice)
figure, axes = show.new_figure(8.5, 3.8, ncols=2, sharex=True, sharey=True)
for axis, (centres, colour, title) in zip(
    axes,
    (
        (ring, show.REAL, f"precision {float(precision(ring, arc)):.2f}: fakes in real balls"),
        (arc, show.FAKE, f"recall {float(recall(ring, arc)):.2f}: real ones in fake balls"),
    ),
):
    reach = metrics.nearest(centres, centres, 4)[:, 3]
    for (x, y), radius in zip(centres.tolist(), reach.tolist()):
        axis.add_patch(show.matplotlib.patches.Circle((x, y), radius, color=colour, alpha=0.08, lw=0))
    axis.plot(*ring.T, "o", color=show.REAL, ms=4, label="real")
    axis.plot(*arc.T, "^", color=show.FAKE, ms=4, label="generated")
    axis.set(title=title, aspect="equal")
axes[0].legend(loc="lower right")
show.figure(
    figure,
    f"Balls in the plane. Left, around real points on a ring; the outlier's is huge and takes in six generated points "
    f"near no other real one. Right, around generated points on half the ring. Density of the generated points "
    f"{metrics.density(ring, arc).mean():.2f}, coverage {metrics.coverage(ring, arc).mean():.2f}.",
)

# %% [markdown]
# The outlier's huge ball excuses the stray points: precision is 1, as if they were none. Naeem and others (2020) mend it by counting. **Density** is, for each generated picture, in how many real balls it lies, over k (now k = 5): one outlier's ball counts once. **Coverage** is the share of *real* balls that have a generated picture in them; it uses no balls around generated pictures, whose outliers would reach as far.

# %% slide="Fidelity and coverage apart: read each column against the floor's row"
def four(real, fake):
    """Precision and recall by your functions, density and coverage by the package's."""
    return (
        float(precision(real, fake)),
        float(recall(real, fake)),
        metrics.density(real, fake).mean().item(),
        metrics.coverage(real, fake).mean().item(),
    )


print(f"in the plane: density {four(ring, arc)[2]:.2f} (all) and {metrics.density(ring, arc[:6]).mean():.2f} (the six strays)\n")
rows = [("set", "precision", "recall", "density", "coverage")]
apart = {name: four(real_seen, x) for name, x in seen.items()}
rows += [(name, *(f"{value:.2f}" for value in values)) for name, values in apart.items()]
print(terminal.aligned(rows, numbers=True))

# %% [markdown]
# Read each column against the floor's row, not against 1. Which set loses fidelity, which variety? And which fault does a column let pass? Keep your guess for section 8.
#
# ## 7 · New, and of use
#
# **Novelty.** None of the numbers so far minds a copy. Here is a cheat: it has the DCGAN's pictures, and in place of three in ten it shows a training picture. Find each picture's nearest training picture and you see it:

# %% slide="A cheat shows training pictures, and no number so far minds"
train_seen = features(clothes.images)
cheat = made["dcgan"].clone()
copies = torch.rand(N, generator=torch.Generator().manual_seed(1)) < 0.3
cheat[copies] = taken[copies]
cheat_seen = features(cheat)
nearest = torch.cdist(cheat_seen[:10], train_seen).argmin(1)
show.beside(
    {"the cheat's": cheat[:10], "nearest training": clothes.images[nearest.to(device)].cpu()},
    f"Ten pictures of the cheat and the training picture nearest to each in the judge's features: {int(copies[:10].sum())} "
    "of them are the same picture, the others only alike.",
    columns=5,
)

# %% [markdown]
# How near is too near? A dull picture in a crowded region has near neighbours without having been copied. So take the distance to the nearest training picture *over* that to the fifth: a copy has one uniquely near. What is usual is told by pictures that nobody can have copied, the test pictures: 1 % of them have a ratio below their 1 % quantile. `metrics.memorisation` gives 1 to each generated picture below that quantile, and its mean is the share of such pictures.

# %%
caught = {
    name: metrics.memorisation(train_seen, real_seen, x).mean().item()
    for name, x in {"dcgan": seen["dcgan"], "mlp": seen["mlp"], "the cheat": cheat_seen, "training pictures": seen["training pictures"]}.items()
}
print(", ".join(f"{name} {share:.0%}" for name, share in caught.items()), "(expected without copies: 1 %)")
by_cheating = float(frechet_distance(real_seen, cheat_seen))
print(f"Fréchet distance of the cheat {by_cheating:.2f}, of the honest DCGAN {distances['dcgan']:.2f}: copying", "pays" if by_cheating < distances["dcgan"] else "does not pay here")

# %% [markdown]
# **Use.** Ravuri and Vinyals (2019) ask a plain question: train a classifier on generated pictures alone; how well does it know real ones? (Labels are the judge's here; their generators are conditional.)

# %%
def labelled(images):
    """Pictures with the class that the judge sees in them."""
    return replace(clothes, images=images.to(device), labels=judge.look(expert, images)[1].argmax(1).to(device))


useful = {
    name: metrics.classification_accuracy_score(labelled(sets[name]), unseen, epochs=max(4, 10_000 // N)).mean().item()
    for name in ("training pictures", "dcgan", "mlp", "five classes")
}
print("right on real pictures after learning from", ", ".join(f"{name} {share:.0%}" for name, share in useful.items()))

# %% [markdown]
# ---
#
# **The first sitting ends here.**

# %% [markdown]
# ## 8 · Metrics on trial
#
# How good is a metric? One would have to know what is wrong with the pictures. For the course's **drawn faces** one does: their attributes are exact and there is no end of fresh ones. `gan_course.faults` plays generators with one fault each, of three strengths:

# %%
for fault, (_, strengths, words) in faults.FAULTS.items():
    print(f"{fault:26s} {', '.join(words.format(s) for s in strengths)}")

# %%
twelve = portraits.draw(12, 64, seed=2).images
show.beside(
    {
        "faultless": twelve,
        **{f"blur {s:g}": faults.blur(twelve, s) for s in faults.FAULTS["blur"][1][1:]},
        **{f"noise {s:g}": faults.noise(twelve, s) for s in faults.FAULTS["noise"][1][1:]},
    },
    "Twelve drawn faces as they are, blurred by 1 and by 2 pixels, and under noise of 12 and of 36 grey levels.",
    columns=4,
)

# %% [markdown]
# A metric **notices** a fault if the faulty set stands more than three standard deviations from where faultless sets of the same size stand. That takes many sets: the course has tried them, 10 repeats each, at three sizes (`python notebooks/tools/faults.py` repeats it). Before you look, **predict** three cells: does precision notice blur? Does anything but memorisation notice copies? Does the Fréchet distance notice that 30 % of the glasses are gone?

# %% slide="No row is blue from end to end: no single number is enough"
trial = json.loads((files.assets_dir() / "studies" / "faults.json").read_text())
METRICS, FAULTS = list(faults.WORSE), list(faults.FAULTS)
worse, better = (
    np.array([[[[cell[i] for cell in row] for row in trial["table"][fault][m]] for m in METRICS] for fault in FAULTS])
    for i in (0, 1)
)  # [fault, metric, strength, size]
figure, axes = show.new_figure(9, 3.8, nrows=len(METRICS), ncols=len(FAULTS))
for i, fault in enumerate(FAULTS):
    for j, metric in enumerate(METRICS):
        axis, colours = axes[j, i], np.ones((3, 3, 3))
        for share, colour in ((worse[i, j], show.BLUE), (better[i, j], show.ORANGE)):
            rgb = np.array([int(colour[k : k + 2], 16) / 255 for k in (1, 3, 5)])
            colours -= share[..., None] * (1 - rgb)
        axis.imshow(colours.clip(0, 1), origin="lower", aspect="auto")
        axis.set(xticks=[], yticks=[])
        axis.grid(False)
        if i == 0:
            axis.set_ylabel(metric, rotation=0, ha="right", va="center")
        if j == 0:
            axis.set_title(fault.replace(" ", "\n"), fontsize=13)
figure.supxlabel("in each field: → more pictures, ↑ a stronger fault; blue: noticed, orange: taken for better")
blind = [f"{METRICS[j]} to {FAULTS[i]}" for i in range(len(FAULTS)) for j in range(len(METRICS)) if worse[i, j].max() < 0.5]
praised = [f"{METRICS[j]} of {FAULTS[i]}" for i in range(len(FAULTS)) for j in range(len(METRICS)) if better[i, j].max() >= 0.5]
show.figure(
    figure,
    f"Six faults by eight metrics. Each field has three sizes of sample ({', '.join(map(str, trial['sizes']))}) from left "
    f"to right and three strengths of fault from bottom to top; blue: noticed as worse, orange: taken for better than "
    f"faultless, white: neither. Blind: {'; '.join(blind)}. Deceived: {'; '.join(praised) or 'none'}.",
)

# %%
print(f"in each field: → samples of {', '.join(map(str, trial['sizes']))}; ↑ the fault grows; blue noticed, orange praised, white nothing\n")
for i, fault in enumerate(FAULTS):
    eyes_for = [METRICS[j] for j in np.argsort(-worse[i].sum((1, 2))) if worse[i, j].max() >= 0.5]
    print(f"{fault}: noticed best by {', '.join(eyes_for[:3]) or 'nothing'}")
    if deceived := [METRICS[j] for j in range(len(METRICS)) if better[i, j].max() >= 0.5]:
        print(f"    taken for *better* than faultless by {', '.join(deceived)}")
alone = [m for j, m in enumerate(METRICS) if worse[FAULTS.index("training pictures copied"), j].max() >= 0.5]
noticing = (worse.max((2, 3)) >= 0.5).sum(0)
print(f"\ncopies are noticed by: {', '.join(alone)}")
print("faults noticed, of six: " + ", ".join(f"{m} {k}" for m, k in zip(METRICS, noticing)))

# %% [markdown]
# Keep this picture. A white field is a fault that the metric lets pass, however strong; orange is worse, a fault that *improves* the number (where both colours mix, it does now the one, now the other). Where blue begins further right, small samples hide the fault. No row is blue from end to end, so **no single number is enough**. Counting attributes with a judge, the last row, is the dullest of all and notices five of the six.
#
# Now a smaller trial of your own. With drawn faces, *true* coverage can be computed: take away from the generator every face with glasses, then those with hats, too, and so on. The share of held-out faces that it could still have made is then known exactly. **Predict**: do recall and coverage fall as fast as the truth?

# %% slide="With a whole attribute missing, recall and coverage fall less than the truth"
face_judge = judge.load(portraits.NAME, device)
world = faults.world(face_judge, here.pick(ci=250, cpu=800, colab=2_000, full=2_000), progress=here.name != "ci")
REMOVED = ("Eyeglasses", "Wearing_Hat", "Long_Hair")
fresh, held_out = world.fresh, world.held_out
M = len(held_out.features) // 2
rows, lacking = [("lacks", "truth", "recall", "coverage", "precision")], []
for k in range(len(REMOVED) + 1):
    columns = [portraits.ATTRIBUTES.index(name) for name in REMOVED[:k]]
    can = ~fresh.true[:, columns].any(1)
    truth = (~held_out.true[:M, columns].any(1)).float().mean().item()
    pictures = fresh.features[can][:M]
    compared = held_out.features[:M]
    values = [of(compared, pictures).mean().item() for of in (metrics.recall, metrics.coverage, metrics.precision)]
    lacking.append((truth, *values))
    parts = [value / first for value, first in zip(values, lacking[0][1:])]
    rows.append((", ".join(REMOVED[:k]) or "nothing", f"{truth:.2f}", *(f"{part:.2f}" for part in parts)))
print(f"{M} faces against {M}; recall, coverage and precision in parts of what the complete generator gets\n")
print(terminal.aligned(rows, numbers=True))

# %% [markdown]
# Compare the truth's column with the two estimates, at its last row most of all. A real face with glasses can still be in reach of generated ones without: glasses are a small part of a face, also in a judge's features. Coverage, whose balls are the real faces' own, forgives more of it here than recall does. So "recall 0.8" does not mean that eight in ten real faces could have been generated. It means that eight in ten have a generated *neighbour*, in these features, at this N.

# %%
fall = [(1 - values[0], 1 - values[1] / lacking[0][1], 1 - values[2] / lacking[0][2]) for values in lacking[1:]]
print(f"at the last row the truth has lost {fall[-1][0]:.0%}, recall {fall[-1][1]:.0%}, coverage {fall[-1][2]:.0%}")

# %% [markdown]
# ## 9 · Make it lie
#
# A number that can be beaten by a bad set is not wrong; it answers another question than you thought. The surest way to know which question is to beat it.
#
# ### Exercise 7.6 · Make it lie
# Difficulty ●●●○○ · 30 minutes · why it matters: whatever you can deceive, an optimiser will deceive without noticing.
#
# Write `lie(metric, train, n)`: n pictures, uint8 [n, 1, 28, 28], as good as real ones or better by that one metric, and bad all the same. `train` is the training set of clothes (`train.images`, `train.labels`). The check looks through judge 1 with n = 500:
#
# | metric | beat it to | although |
# |---|---|---|
# | `"precision"` | above 0.98, and above real ones | recall below 0.2 |
# | `"inception score"` | above that of real ones | recall below 0.2 |
# | `"recall"` | at least 95 % of that of real ones | precision below 0.7 |
# | `"Fréchet distance"` | at most 1.5 times that of real ones | more than half are copies |
# | `"memorisation"` | at most 0.02 | Fréchet distance above 20 times that of real ones |
#
# <details><summary>Hint 1</summary>
#
# Precision asks each picture alone. The inception score wants every class, surely; it never asks for a second picture of one. Recall asks real pictures only: who minds what else you show?
#
# </details>
# <details><summary>Hint 2</summary>
#
# One usual picture n times (the one nearest to its class's mean picture, say); for each class the one picture that the judge is surest of; real ones and rubbish, half and half; n training pictures; rubbish.
#
# </details>
# <details><summary>Hint 3</summary>
#
# `pictures.repeat(times, 1, 1, 1)` repeats. `judge.look(expert, pictures)[1].softmax(1)` are the judge's chances, and their `.argmax(0)` the surest picture of each class. Rubbish: `torch.randint(0, 256, (n, 1, 28, 28), dtype=torch.uint8)`.
#
# </details>

# %%
def lie(metric, train, n):
    """n pictures that beat the metric and do not deserve it."""
    # solution
    trousers = train.images[train.labels == 1].cpu()
    usual = (trousers.float() - trousers.float().mean(0)).flatten(1).norm(dim=1).argmin()
    sure = judge.look(expert, train.images[:2_000])[1].softmax(1)  # [2000, 10]
    rubbish = torch.randint(0, 256, (n, 1, 28, 28), generator=torch.Generator().manual_seed(0), dtype=torch.uint8)
    copies = train.images[:n].cpu()
    return {
        "precision": trousers[usual].repeat(n, 1, 1, 1),
        "inception score": train.images[sure.argmax(0).to(train.images.device)].cpu().repeat(n // 10, 1, 1, 1),
        "recall": torch.cat([copies[: n // 2], rubbish[n // 2 :]]),
        "Fréchet distance": copies,
        "memorisation": rubbish,
    }[metric]
    # end solution


# %%
lesson_07.exercise_6(lie)

# %% slide="Each lie wins its own column and is caught in another"
rows = [("deceives", "FD", "IS", "precision", "recall", "density", "coverage", "memorised")]
lies = {metric: lie(metric, clothes, N).cpu() for metric in lesson_07.LIES}
for name, images in {"(real pictures)": taken, **lies}.items():
    x, logits = judge.look(expert, images)
    numbers = (float(frechet_distance(real_seen, x)), float(inception_score(logits.softmax(1).double())), *four(real_seen, x))
    repeats = metrics.memorisation(train_seen, real_seen, x).mean().item()
    rows.append((name, *(f"{value:.2f}" for value in (*numbers, repeats))))
print(terminal.aligned(rows, numbers=True))
twelve_rows = torch.randperm(N, generator=torch.Generator().manual_seed(SEED))[:12]
words = "; ".join(f"{metric}: {len(images.unique(dim=0))} different pictures" for metric, images in lies.items())
show.beside({metric: images[twelve_rows] for metric, images in lies.items()}, f"Twelve pictures of each lie. {words}.", columns=4)

# %% [markdown]
# Each lie holds its own column against real pictures and is caught in another. (Training pictures, which the first row shows, too, are caught by the last column alone.) That is the practical lesson: report numbers that keep each other honest, one of fidelity, one of coverage, one of novelty, and look at the pictures.
#
# ## 10 · Six adjectives
#
# The report *FashionMNIST GAN* that this course began with compares its two networks in its table 2: MLP against DCGAN, training stability *medium / high*, convergence *slower / faster*, sharpness *medium / high*, risk of mode collapse *high / low*, computation *low / medium*, parameters *fewer / more*. No number. Let us define each and measure it.
#
# | adjective | defined as |
# |---|---|
# | stable | little spread of the Fréchet distance over seeds: its standard deviation, in logarithms |
# | converges fast | a small Fréchet distance after a short, fixed budget |
# | sharp | mean difference of neighbouring pixels, over that of real pictures: 1 is right |
# | at risk of collapse | classes missing (seen in less than a quarter of their real share), and recall |
# | costly | seconds of one core for 1,000 real images of training |
# | large | parameters, of G and of D apart, at the report's full width (below) |
#
# A budget can be equal in *images* or in *seconds*, and the answer may depend on it. So there are two studies, five seeds each, trained on one core, in the report's losses and labels, for 30,000 images or for 40 seconds a run: `python -m gan_course study table-2-images` and `table-2-seconds` repeat them. The DCGAN is trained at a quarter of its width (in the second study also at half), the MLP at full width.
#
# First parameters, which need no training. The report's section 2.3.3 says that convolutions need far fewer, its table that DCGAN has more. Both cannot be right. **Predict.**

# %% slide="Which network has more parameters? G and D disagree"
# NBVAL_CHECK_OUTPUT
for key in ("mlp-fashion", "dcgan-fashion"):
    counts = [networks.count_parameters(network) for network in recipes.get(key).build()]
    print(f"{key:14s} G {counts[0]:>9,}, D {counts[1]:>9,}, both {sum(counts):>9,}")

# %% [markdown]
# G and D disagree, so an adjective for both together says little: it depends on which network you look at.
#
# For the rest we need an honest way to say "smaller". Two arms of a study share their seeds, so take the differences **seed by seed**: d = first − second. Their mean, ± t · s / √n with s their standard deviation (over n − 1), is an interval that covers the true mean difference in 95 of 100 such studies, if the differences are about normal. t comes from Student's distribution: with five seeds 2.776, not 1.96, because s is itself a guess from five numbers.
#
# ### Exercise 7.7 · An interval for a difference
# Difficulty ●●○○○ · 15 minutes · why it matters: it is the shortest honest sentence about two generators.
#
# `first` and `second` are tensors [n], one number a seed, in the same order of seeds. Return the lower and the upper end. `QUANTILES[n]` is t.
#
# <details><summary>Hint 1</summary>
#
# Do not compare two spreads: subtract first, seed by seed, and forget the two columns.
#
# </details>
# <details><summary>Hint 2</summary>
#
# `d.std()` divides by n − 1 already.
#
# </details>

# %%
QUANTILES = lesson_07.QUANTILES


def interval(first, second):
    """Both ends of the 95 % interval of the mean of first - second."""
    # solution
    d = first - second
    spread = QUANTILES[len(d)] * d.std() / len(d) ** 0.5
    return d.mean() - spread, d.mean() + spread
    # end solution


# %%
lesson_07.exercise_7(interval)

# %%
kept = {key: studies.read(studies.get(key), studies.published(studies.get(key))) for key in ("table-2-images", "table-2-seconds")}


def column(key, arm, number):
    """A number of a study's arm by seed, [seeds]."""
    results = sorted((r for r in kept[key] if r.arm == arm), key=lambda r: r.seed)
    if number == "seconds per 1,000":
        return torch.tensor([1_000 * r.evidence["seconds"] / r.evidence["images"] for r in results], dtype=torch.float64)
    return torch.tensor([r.measured[number] for r in results], dtype=torch.float64)


NUMBERS = ("distance", "sharpness", "missing", "precision", "recall", "seconds per 1,000")
MLP, CONV = "mlp", "dcgan, width 1/4"
ends = {}
for key in kept:
    budget = studies.get(key)
    print(f"{key}: {f'{budget.images:,} images' if budget.images else f'{budget.seconds:.0f} s of one core'} a run\n")
    rows = [("", "mlp: median", "from … to", "dcgan 1/4: median", "from … to", "mlp − dcgan: 95 %")]
    for number in NUMBERS:
        arms = [column(key, arm, number) for arm in (MLP, CONV)]
        ends[key, number] = low, high = [float(end) for end in interval(*arms)]
        spread = [(f"{a.median():.3g}", f"{a.min():.3g} … {a.max():.3g}") for a in arms]
        rows.append((number, *spread[0], *spread[1], f"{low:+.3g} … {high:+.3g}"))
    print(terminal.aligned(rows))
    print()
wide = column("table-2-seconds", "dcgan, width 1/2", "distance")
print(f"distance of the DCGAN at width 1/2 after as many seconds: median {wide.median():.3g}, {wide.min():.3g} … {wide.max():.3g}")

# %% [markdown]
# Now the table again, with the words that these numbers allow. An interval without 0 decides. For stability two spreads are compared: with five seeds each, one variance must be more than 9.6 times the other (the 97.5 % point of the F distribution) before one may say so.

# %% slide="Of the report's adjectives, few stand as reported"
def larger(key, number):
    """Whether the MLP's number is larger than the DCGAN's; None if the interval holds 0."""
    low, high = ends[key, number]
    return None if low <= 0 <= high else low > 0


def word(as_reported):
    return {True: "as reported", False: "the other way round", None: "cannot tell"}[as_reported]


def opposite(answer):
    return None if answer is None else not answer


rows, agreed, asked = [("reported of the DCGAN", "equal images", "equal seconds")], 0, 0
spreads, unsharp = {}, {}
for key in kept:
    spreads[key] = [column(key, arm, "distance").log().std().item() for arm in (MLP, CONV)]
    off = [(column(key, arm, "sharpness") - 1).abs() for arm in (MLP, CONV)]
    low, high = (float(end) for end in interval(*off))
    unsharp[key] = None if low <= 0 <= high else low > 0
answers = {
    "more stable": lambda key: (
        None if 1 / 9.6 < (ratio := (spreads[key][0] / spreads[key][1]) ** 2) < 9.6 else ratio > 1
    ),
    "converges faster (distance)": lambda key: larger(key, "distance"),
    "sharper (nearer to 1)": lambda key: unsharp[key],
    "misses fewer classes": lambda key: larger(key, "missing"),
    "collapses less (recall)": lambda key: opposite(larger(key, "recall")),
    "costs more": lambda key: opposite(larger(key, "seconds per 1,000")),
}
for adjective, answer in answers.items():
    found = [answer(key) for key in kept]
    rows.append((adjective, *map(word, found)))
    agreed, asked = agreed + found.count(True), asked + len(found)
print(terminal.aligned(rows))
print(f"\n{agreed} of {asked} as reported, at this scale and this length")
for key, pair in spreads.items():
    sharp = [column(key, arm, "sharpness").median().item() for arm in (MLP, CONV)]
    print(f"{key}: spread over seeds (std of the logarithm) mlp {pair[0]:.2f}, dcgan {pair[1]:.2f}; sharpness mlp {sharp[0]:.2f}, dcgan {sharp[1]:.2f} of real clothes'")

# %% [markdown]
# **At this scale and this length** is part of the sentence. A run of these studies is well under a minute; the report trained for fifty epochs, and who leads after a minute need not lead after an hour. The published runs, one seed each, trained for longer and by different recipes, stand in section 2: look which of the two is ahead there.
#
# And see what an adjective can hide. *Sharp*: neighbouring pixels differ more than in real clothes where there is speckle (a ratio above 1) and less where there is blur, and both are wrong. *Collapse*: no class need be missing for a generator to draw each class in one way only; recall sees that, and a count of classes does not.
#
# ## 11 · Whose numbers?
#
# Five circumstances that might make another winner, honest ones among them: fewer pictures, other eyes, resizing, a forgotten `eval()`, the best of ten. Take two generators that are near each other: the published `quick-clothes`, and an earlier copy of it, from a fifth of the run. For each circumstance the same question: does it turn the order around?

# %%
run = runs.find("quick-clothes")
earlier = run.snapshots[5]
rivals = {"end": run.generator(device), f"step {earlier:,}": run.generator(device, step=earlier)}
drawn = {name: sampling.sample(generator, N, seed=3) for name, generator in rivals.items()}
first, second = rivals


def far(images, look=features, against=real):
    return metrics.frechet_distance(look(against).float(), look(images).float())


plain = {name: far(images) for name, images in drawn.items()}
print(f"as they are, {N:,} pictures each: {', '.join(f'{name} {value:.2f}' for name, value in plain.items())}")
circumstances = {}


def hold(what, a, b):
    """Note whether a circumstance turns the order around."""
    circumstances[what] = (a, b, (a < b) != (plain[first] < plain[second]))


hold(f"{first} with {N // 4} pictures, {second} with {N}", far(drawn[first][: N // 4]), plain[second])
for name in list(eyes)[1:]:
    hold(f"in the eyes of {name}", *(far(drawn[rival], eyes[name]) for rival in rivals))


def resized(images, antialias):
    """Down to 14 pixels and back, as a careless pipeline does."""
    small = F.interpolate(images.float(), (14, 14), mode="bilinear", antialias=antialias)
    return F.interpolate(small, (28, 28), mode="bilinear").round().clamp(0, 255).to(torch.uint8)


hold("both resized to 14 px and back", *(far(resized(drawn[rival], True), against=resized(real, True)) for rival in rivals))
hold(f"only {first} resized", far(resized(drawn[first], True)), plain[second])


@torch.no_grad()
def in_training_mode(generator, n, seed):
    """Pictures of a generator whose eval() was forgotten: BatchNorm takes the batch's own statistics."""
    generator = run.generator(device) if generator is rivals[first] else run.generator(device, step=earlier)
    dice = torch.Generator(device).manual_seed(seed)
    batches = [torch.randn(50, generator.latent_dim, generator=dice, device=device) for _ in range(n // 50)]
    return torch.cat([data.to_uint8(generator.train()(z)).cpu() for z in batches])


forgotten = {name: in_training_mode(generator, N, 3) for name, generator in rivals.items()}
hold("eval() forgotten, both", *(far(images) for images in forgotten.values()))
hold(f"eval() forgotten, {first} alone", far(forgotten[first]), plain[second])
tries = {name: [far(sampling.sample(g, N // 4, seed=s), against=real[: N // 4]) for s in range(10)] for name, g in rivals.items()}
hold(f"the best of ten draws of {second}, one of {first} ({N // 4} pictures)", tries[first][0], min(tries[second]))
rows = [("circumstance", first, second, "order")]
rows += [(what, f"{a:.3g}", f"{b:.3g}", "turned around" if turned else "kept") for what, (a, b, turned) in circumstances.items()]
print(terminal.aligned(rows, numbers=True))
turned = [what for what, (*_, t) in circumstances.items() if t]
print(f"\n{len(turned)} of {len(circumstances)} turn it around")

# %% [markdown]
# The best of ten drew its seed of *drawing* ten times. There are seeds of *training*, too: in the studies of section 10 every arm has five. What would a comparison of single runs have said?

# %%
for key in kept:
    a, b = (column(key, arm, "distance") for arm in (MLP, CONV))
    wins = (a[:, None] < b[None, :]).float().mean().item()
    print(f"{key}: of all pairs (a run of the mlp, a run of the dcgan) the mlp is ahead in {wins:.0%}; "
          f"best mlp {a.min():.1f}, median dcgan {b.median():.1f}; best dcgan {b.min():.1f}, median mlp {a.median():.1f}")

# %% [markdown]
# Report the best of your runs against the median of another's, and where the ranges overlap you can often have either order. Above, after equal images, each of the two can be made the winner. So a number travels with its circumstances: the features and their version, N, which real pictures, how they were scaled, which mode and which average of G, how many seeds and which of them.
#
# ## 12 · All of it by one command
#
# `python -m gan_course score RUN` (or an `.npz` of pictures, with `--against fashion-mnist`) measures all of this with the floor and **bootstrap** intervals, and says in a line what stands out. (Bootstrap: draw as many pictures from the set itself, with replacement, again and again; 1.96 standard deviations of the number over these draws are half of the interval.) The same from Python:

# %%
report = scoring.compare(made["mlp"], clothes, unseen, expert, name="mlp-fashion", n=N)
print(report)

# %%
report_dcgan = scoring.compare(made["dcgan"], clothes, unseen, expert, name="quick-clothes", n=N)
for one in (report, report_dcgan):
    number = one.numbers["frechet_distance"]
    print(f"{one.pictures}: Fréchet distance, judge {one.version}: {number.value:.2f} [{number.low:.2f}, {number.high:.2f}], floor {number.floor:.2f}; {one.words}")

# %% [markdown]
# An interval here says how far the number moves with *other pictures from this generator* (recall, coverage and the classifier's score are averages over real pictures, and their intervals are of other real ones). It does not cover everything. Section 2 held the same pictures against another sample of as many real ones: does its Fréchet distance lie within these intervals? And they know nothing of another training; for that, see section 10.
#
# ### Exercise 7.8 · Which is better?
# Difficulty ●●○○○ · 15 minutes · why it matters: a rule that may say "cannot tell" keeps you from telling.
#
# `first` and `second` are one number of two generators, with attributes `.value`, `.low`, `.high` (the ends of its interval) and `.floor` (what real pictures get, the same for both). `larger` says whether more is better. Return `"first"`, `"second"` or `"cannot tell"`, by two rules:
#
# - who is beyond the floor is no better than real pictures: an end of an interval that is better than the floor counts as the floor;
# - one is better only where the intervals do not touch.
#
# (The second rule is a careful one: intervals that overlap a little may still belong to numbers that differ.)
#
# <details><summary>Hint 1</summary>
#
# Where more is better, `min(end, floor)` is what counts of an end. What is it where less is better?
#
# </details>
# <details><summary>Hint 2</summary>
#
# The intervals touch unless the lower end of one is above the upper end of the other. The values in the middle are not needed.
#
# </details>

# %%
def verdict(first, second, larger):
    """'first', 'second' or 'cannot tell': which of two measured numbers is better."""
    # solution
    no_better = min if larger else max  # than the floor
    (a, b), (c, d) = ([no_better(end, one.floor) for end in (one.low, one.high)] for one in (first, second))
    if a > d:
        return "first" if larger else "second"
    if c > b:
        return "second" if larger else "first"
    return "cannot tell"
    # end solution


# %%
lesson_07.exercise_8(verdict)

# %% slide="Better at what? One verdict a question"
QUESTIONS = {"precision": ("fidelity", True), "recall": ("coverage", True), "memorisation": ("novelty", False)}
rows = [("question", "number", "mlp", "dcgan", "real", "better")]
for name, (question, larger) in QUESTIONS.items():
    pair = [one.numbers[name] for one in (report, report_dcgan)]
    better = {"first": "mlp", "second": "dcgan"}.get(said := verdict(*pair, larger), said)
    spans = [f"{one.value:.2f} [{one.low:.2f}, {one.high:.2f}]" for one in pair]
    rows.append((question, name, *spans, f"{pair[0].floor:.2f}", better))
print(terminal.aligned(rows))

# %% [markdown]
# Does the first row agree with your eyes? Hold it against the pictures of section 1, and remember what precision asks.
#
# **Closing task.** Now in words. Take two runs of your own (or `quick-digits` at two snapshots, `runs.find("quick-digits").snapshots`). Write down first which is better and why you think so. Then write three sentences that somebody who doubts you would accept: one of fidelity, one of coverage or proportions, one of novelty, each with a number, its interval or spread, its floor, and its circumstances. If the intervals do not part the two, say that.

# %% tags=["showed"]
print(f"Fréchet distance, judge 1, {N:,} pictures: dcgan {distances['dcgan']:.2f}, mlp {distances['mlp']:.2f}, floor {distances['training pictures']:.2f};")
print(f"copies are noticed by {', '.join(alone)}; {agreed} of {asked} adjectives as reported;")
print(f"{len(turned)} of {len(circumstances)} circumstances turn two close generators around")

# %% [markdown]
# ## What to remember
#
# - Ask what is wanted first: fidelity, coverage, proportions, novelty. No one number holds all four.
# - A number needs a floor (what real pictures get), an interval, and its circumstances: features, N, scaling, mode, seeds.
# - The Fréchet distance is biased by about a constant over N: compare at equal N, or extrapolate.
# - Each metric can be beaten by a bad set. Report some that keep each other honest, and look at the pictures.
# - Differences between trainings show over seeds: pair them, give the interval, and say "cannot tell" when it holds 0.
#
# ## Ask yourself
#
# <details><summary>A paper reports FID 6.8 on MNIST and you measure a Fréchet distance of 4.2 with judge 1. Are you better?</summary>
# Nobody knows. Other features, other units; perhaps another N, other real pictures, the best of a search.
# </details>
#
# <details><summary>Precision 0.98, recall 0.10. What do you expect to see?</summary>
# Good pictures, few kinds: hardly any variety. Or one picture, again and again: look.
# </details>
#
# <details><summary>Your Fréchet distance is below the floor. Congratulations?</summary>
# No. Real pictures get the floor; who gets clearly less repeats what it is compared with, or was tuned on it. Ask memorisation, and whether test pictures were trained on.
# </details>
#
# <details><summary>Why is the kernel distance of a perfect generator sometimes negative?</summary>
# Its estimate is right on average. If it is 0 on average and varies, it has to fall below 0 now and then.
# </details>
#
# ## Where to read on
#
# - Martin Heusel, Hubert Ramsauer, Thomas Unterthiner, Bernhard Nessler, Sepp Hochreiter, *GANs Trained by a Two Time-Scale Update Rule Converge to a Local Nash Equilibrium*, 2017, [arXiv:1706.08500](https://arxiv.org/abs/1706.08500): the FID, and what disturbances do to it.
# - Min Jin Chong, David Forsyth, *Effectively Unbiased FID and Inception Score and where to find them*, 2020, [arXiv:1911.07023](https://arxiv.org/abs/1911.07023).
# - Mikołaj Bińkowski, Danica Sutherland, Michael Arbel, Arthur Gretton, *Demystifying MMD GANs*, 2018, [arXiv:1801.01401](https://arxiv.org/abs/1801.01401): the kernel distance.
# - Tim Salimans and others, *Improved Techniques for Training GANs*, 2016, [arXiv:1606.03498](https://arxiv.org/abs/1606.03498): the inception score.
# - Tuomas Kynkäänniemi, Tero Karras, Samuli Laine, Jaakko Lehtinen, Timo Aila, *Improved Precision and Recall Metric for Assessing Generative Models*, 2019, [arXiv:1904.06991](https://arxiv.org/abs/1904.06991).
# - Muhammad Ferjad Naeem, Seong Joon Oh, Youngjung Uh, Yunjey Choi, Jaejun Yoo, *Reliable Fidelity and Diversity Metrics for Generative Models*, 2020, [arXiv:2002.09797](https://arxiv.org/abs/2002.09797).
# - Suman Ravuri, Oriol Vinyals, *Classification Accuracy Score for Conditional Generative Models*, 2019, [arXiv:1905.10887](https://arxiv.org/abs/1905.10887).
# - Mario Lucic, Karol Kurach, Marcin Michalski, Sylvain Gelly, Olivier Bousquet, *Are GANs Created Equal? A Large-Scale Study*, 2018, [arXiv:1711.10337](https://arxiv.org/abs/1711.10337): what is left of rankings when everybody gets the same budget.
# - Gaurav Parmar, Richard Zhang, Jun-Yan Zhu, *On Aliased Resizing and Surprising Subtleties in GAN Evaluation*, 2022, [arXiv:2104.11222](https://arxiv.org/abs/2104.11222).
