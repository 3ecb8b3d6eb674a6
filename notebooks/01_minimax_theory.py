# %% [markdown]
# # 01 · Minimax theory
#
# > After it you can derive the optimal discriminator, say what the generator minimises, and predict when training spirals.
#
# {{badge}}
#
# **After this lesson you can**
#
# - derive the best possible discriminator and check a trained one against it,
# - say what the generator descends, for both common objectives, and what each does when it cannot have everything,
# - compute from D's logit how hard each objective still pulls, and measure whether that matters,
# - write down a GAN's update matrix and read from its eigenvalues whether training converges, circles or spirals out,
# - count covered modes, step a small GAN by hand, and measure with a fresh D how far G is from the data.
#
# | | two CPU cores | Colab T4 |
# |---|---|---|
# | minutes to run it all | about 1.5 | as on its CPU: these networks are too small for a GPU |
# | minutes to read and solve it | about 180, in two sittings | about 180, in two sittings |
#
# **Two sittings.** Sections 1 to 3 (about 85 minutes) ask what each player wants. Sections 4 to 6 (about 95) ask what happens when both play. The place to break is marked; when you come back to a fresh notebook, first run everything above it, which takes about half of the minutes to run it all.
#
# Read first: nothing of this course. You need densities and expectations, the derivative of the logarithm, the chain rule, how a matrix acts on a vector, and a little PyTorch (autograd, an optimiser). KL, Jacobians and eigenvalues are explained where they come up, and the glossary at the end of lesson 00 has each in a line. Lesson 00 shows what a GAN can do; this one asks why it works, on problems so small that the truth is known.

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

import torch
import torch.nn.functional as F

from gan_course import losses, profiles, show, toy, widgets
from gan_course.checks import lesson_01

SEED = 0
here = profiles.current()
seeds = list(range(SEED, SEED + here.pick(ci=3, cpu=5, colab=5, full=10)))
print(f"profile {here.name}: every measurement below is repeated over {len(seeds)} seeds")

# %% [markdown]
# ## 1 · Two players on a line
#
# A **generator** G turns noise z into a sample G(z). A **discriminator** D looks at a sample x and says how strongly it believes that x is real: D(x) is a number between 0 and 1. D wants to be right. G wants D to be wrong. Nobody tells G what a good sample is; all it ever hears is D's opinion.
#
# We start where everything can be known. The real data have a density p on a line, a mixture of two Gaussians. The generator stretches and shifts standard normal noise, G(z) = μ + s z, and so its samples have a density q that we can write down too: by the change of variables, q(x) = φ((x − μ)/s) / s, where φ is the density of z. That is a luxury. A real generator can be sampled, but nobody can evaluate its density.

# %% slide="The real density p has two peaks, the generator's q has one"
p = toy.on_a_line(centres=[-2.5, 2.0], sigmas=[0.5, 0.6], weights=[0.4, 0.6])
q = toy.on_a_line(centres=[0.0], sigmas=[1.0], weights=[1.0])  # G(z) = 0 + 1 z

x = torch.linspace(-8, 8, 1601)[:, None]  # points on the line, [N, 1]
generator = torch.Generator().manual_seed(SEED)
figure, axes = show.new_figure(7, 2.8)
for density, colour, name in ((p, show.REAL, "p, real"), (q, show.FAKE, "q, generated")):
    axes.hist(density.sample(5000, generator)[:, 0], bins=80, density=True, color=colour, alpha=0.25)
    axes.plot(x[:, 0], density.density(x), color=colour, label=name)
axes.set(xlabel="x", ylabel="density", xlim=(-5, 5))
axes.legend(loc="lower center", bbox_to_anchor=(0.5, 1), ncols=2)
show.figure(
    figure,
    "Two densities on a line, each over a histogram of its samples: the real p with peaks at -2.5 and 2, "
    "the generated q with one peak at 0 between them.",
)

# %% [markdown] slide="Both players look at one number: D raises V, G lowers it"
# **The game.** Both players look at one number, the value function (Goodfellow et al. 2014, equation 1):
#
# $$V(D, G) = \mathbb{E}_{x \sim p}\,\log D(x) \;+\; \mathbb{E}_{z}\,\log\bigl(1 - D(G(z))\bigr)$$
#
# The first term is large (near 0) when D believes in real samples, the second when D refuses generated ones. Both logarithms are of numbers below 1, so V is never positive. D tries to make V large, G tries to make it small: $\min_G \max_D V(D, G)$.
#
# *Predict, then run: what is V if D has no idea and answers ½ everywhere?*

# %% slide="A D that has no idea gives V = −log 4"
print(f"V of the clueless D: log ½ + log ½ = {2 * math.log(0.5):.4f} = -log 4")

# %% [markdown] slide="The best answer that D can give is a ratio of densities"
# Remember that number, −1.3863. It comes back twice.
#
# ### The best answer D can give
#
# Hold G still. Which D makes V as large as possible?
#
# 1. An expectation is an integral against a density. So $V = \int p(x) \log D(x) + q(x) \log(1 - D(x))\,dx$. (The second term was over z; the samples G(z) have density q, which is what makes this step legal.)
# 2. D may be any function, and the integrand at x involves D at that x alone. So we may choose D(x) for each x separately, and the integral is largest when the integrand is largest everywhere.
# 3. At one x, write a = p(x), b = q(x), y = D(x). We want the top of $f(y) = a \log y + b \log(1 - y)$ on 0 < y < 1.
# 4. Its slope is $f'(y) = \frac{a}{y} - \frac{b}{1 - y}$, which is zero where $a(1 - y) = b y$, that is at $y = \frac{a}{a + b}$.
# 5. It is a top and not a valley: $f''(y) = -\frac{a}{y^2} - \frac{b}{(1 - y)^2} < 0$.
#
# $$D^*(x) = \frac{p(x)}{p(x) + q(x)}$$
#
# It is Bayes' rule: draw real or generated with a fair coin, and D* is the probability that the x you see came from the real pile. Networks do not return D itself but a **logit** l, which may be any number; the sigmoid σ makes a probability of it, $D = σ(l) = 1/(1 + e^{-l})$. For the logit the same answer reads $l^* = \log p(x) - \log q(x)$. **A discriminator learns a log density ratio.**
#
# Two special cases. Where b = 0 and a > 0, f keeps rising towards y = 1: the logit wants to go to infinity. And where a = b = 0, f is flat, so every answer is equally good.

# %%
# NBVAL_CHECK_OUTPUT
a, b = 0.30, 0.10
y = torch.linspace(0.001, 0.999, 999, dtype=torch.float64)
best = y[(a * y.log() + b * (1 - y).log()).argmax()]
by_logit = torch.sigmoid(torch.tensor(a).log() - torch.tensor(b).log())
print(f"searched {best:.3f}   formula {a / (a + b):.3f}   sigmoid(log a - log b) {by_logit:.3f}")

# %% [markdown]
# ### Exercise 1.1 · The best discriminator
#
# Difficulty ●○○○○ · 5 minutes · why it matters: every claim about what G minimises starts from this function.
#
# Given tensors of densities p(x) and q(x) at the same points, return D* at each. Where neither has mass, D* is free; return 0.5 there, so that no NaN travels on.
#
# <details><summary>Hint 1</summary>
#
# Which line of the derivation is the answer? At which points can it not be computed?
#
# </details>
# <details><summary>Hint 2</summary>
#
# Where p = q = 0 the quotient is 0/0, which is NaN. Decide point by point what to return; adding a small number to the denominator would falsify the others.
#
# </details>
# <details><summary>Hint 3</summary>
#
# `torch.where(condition, a, 0.5)` is a where the condition holds and 0.5 elsewhere.
#
# </details>


# %%
def optimal_discriminator(p, q):
    """D* [N] from densities p [N] and q [N], none negative; 0.5 where both are 0."""
    # solution
    total = p + q
    return torch.where(total > 0, p / total, 0.5)
    # end solution


# %%
lesson_01.exercise_1(optimal_discriminator)

# %% [markdown]
# ### Does a trained D find it?
#
# A small network knows neither p nor q. It sees samples, and it minimises −V, which is binary cross-entropy with label 1 for real and 0 for generated. `losses.d_bce` computes exactly that from logits. We train one D a seed; a `toy.Stack` is several independent copies of one small network that run side by side.


# %%
def train_discriminators(pairs, steps, hidden=64, batch=256):
    """Train one D for each pair (real, generated) of densities, on fresh samples at every step."""
    D = toy.Stack(range(len(pairs)), 1, hidden, hidden, 1)
    adam = torch.optim.Adam(D.parameters(), lr=1e-2, fused=True)
    slower = torch.optim.lr_scheduler.LinearLR(adam, 1.0, 0.02, total_iters=steps)  # settle at the end
    generators = [torch.Generator().manual_seed(1000 + i) for i in range(len(pairs))]
    for _ in range(steps):
        real = torch.stack([p.sample(batch, g) for (p, _), g in zip(pairs, generators, strict=True)])
        fake = torch.stack([q.sample(batch, g) for (_, q), g in zip(pairs, generators, strict=True)])
        loss = len(pairs) * losses.d_bce(D(real), D(fake))  # the sum over copies of each one's mean
        adam.zero_grad()
        loss.backward()
        adam.step()
        slower.step()
    return D


D = train_discriminators([(p, q)] * len(seeds), steps=here.pick(ci=400, cpu=1500, colab=1500, full=4000))
with torch.no_grad():
    trained = torch.sigmoid(D(x))  # [seeds, N]
optimal = torch.as_tensor(optimal_discriminator(p.density(x), q.density(x)))  # exercise 1.1

# %% [markdown]
# *Predict: where along the line will the trained networks agree with the formula, and where will they not?*

# %% slide="Trained networks find p / (p + q) where samples fall, and guess elsewhere"
mass = (p.density(x) + q.density(x)) / 2
somewhere = mass > 0.01  # a hundredth of a unit of density: some samples fall there
error = (trained - optimal).abs()
figure, (top, bottom) = show.new_figure(7, 3.8, nrows=2, sharex=True, height_ratios=[2, 1])
names = ["trained D, each seed"] + ["_"] * (len(seeds) - 1)
top.plot(x[:, 0], trained.T, color=show.GREEN, lw=1.5, alpha=0.7, label=names)
top.plot(x[:, 0], optimal, color="black", ls="--", lw=2.5, label="p / (p + q)")
bottom.plot(x[:, 0], p.density(x), color=show.REAL, label="p")
bottom.plot(x[:, 0], q.density(x), color=show.FAKE, label="q")
low, high = x[somewhere].min(), x[somewhere].max()
for axes in (top, bottom):
    axes.axvspan(-8, low, color=show.GREY, alpha=0.15, lw=0)
    axes.axvspan(high, 8, color=show.GREY, alpha=0.15, lw=0)
bottom.text(high + 0.3, 0.2, "hardly any samples", color=show.GREY)
top.set(ylabel="D(x)")
bottom.set(xlabel="x", ylabel="density")
top.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=2)
bottom.legend(loc="center left")
show.figure(
    figure,
    "Trained discriminators lie on the dashed curve p/(p+q) where p or q has mass; in the grey regions "
    "without samples, at both ends, they leave the formula.",
)

# %%
inside, outside = error[:, somewhere], error[:, ~somewhere]
for k, seed in enumerate(seeds):
    print(
        f"seed {seed}: mean error where there is mass {inside[k].mean():.3f}, largest {inside[k].max():.3f}; "
        f"elsewhere mean {outside[k].mean():.3f}, largest {outside[k].max():.3f}"
    )
d_mean, d_max = inside.mean(), inside.max()
there = ", ".join(f"{v:.3f}" for v in trained[:, -1])
print(f"D(8): the formula says {optimal[-1]:.3f}, the networks {there}")

# %% [markdown]
# Where samples fall, networks that have never seen a density compute a ratio of densities, with the small errors printed above. The largest ones sit where D* is steep or samples are few.
#
# In the grey it is another story. At x = 8 both densities are nearly nothing, and yet their ratio is decided: q has the heavier tail, so the formula says "generated". The networks were never asked about such points; they extend what they learnt next door, where real points are the more frequent ones. Nothing in training corrects them, because the integrand there is next to nothing. Keep this in mind: a step can carry G's samples into such a region, and until D has seen them there, G steers by a guess.

# %% [markdown]
# ### Exercise 1.2 · V without overflow
#
# Difficulty ●●○○○ · 10 minutes · why it matters: in float32, `log(sigmoid(-200))` is minus infinity and its gradient NaN: one such point, and a network is lost.
#
# V is made of two expectations, so it can be estimated from samples alone: from a batch of logits on real points and a batch of logits on fakes. Do it so that the result is finite and right at every logit, 200 included. No clamp, no epsilon.
#
# <details><summary>Hint 1</summary>
#
# Write the logarithms of D and of 1 − D with the sigmoid. Which of them becomes log(0), and at which logits?
#
# </details>
# <details><summary>Hint 2</summary>
#
# 1 − σ(l) = σ(−l). So both terms are the logarithm of a sigmoid, one at l, one at −l.
#
# </details>
# <details><summary>Hint 3</summary>
#
# PyTorch has the logarithm of the sigmoid as one function that never takes the logarithm of 0; look for it in `torch.nn.functional`. An expectation becomes a mean over its own batch.
#
# </details>


# %%
def value_from_logits(real_logits, fake_logits):
    """The estimate of E log D(x) + E log(1 - D(G(z))): a tensor without dimensions."""
    # solution
    return F.logsigmoid(real_logits).mean() + F.logsigmoid(-fake_logits).mean()
    # end solution


# %%
lesson_01.exercise_2(value_from_logits)

# %%
generator = torch.Generator().manual_seed(SEED)
with torch.no_grad():
    real_logits = D(p.sample(20_000, generator))  # [seeds, 20000]
    fake_logits = D(q.sample(20_000, generator))
reached = [float(value_from_logits(real, fake)) for real, fake in zip(real_logits, fake_logits)]
print("V of the trained D's, from 20,000 samples of each kind:", ", ".join(f"{v:.3f}" for v in reached))

# %% [markdown]
# Far above −1.386: this G is easily caught. Keep these numbers; section 2 computes what they come close to.

# %% [markdown] slide="Against a perfect D, G lowers the Jensen–Shannon divergence"
# ## 2 · What G minimises
#
# Let D be perfect. What is left of V is a function of G alone, and we can name it.
#
# 1. Put D* in: $V(D^*, G) = \int p \log\frac{p}{p+q} + q \log\frac{q}{p+q}\,dx$, because 1 − D* = q/(p + q).
# 2. Let m = (p + q)/2, the average of both densities. Then $\frac{p}{p+q} = \frac{1}{2}\cdot\frac{p}{m}$, and likewise for q.
# 3. Each factor ½ contributes $\log\frac12$, times a density that integrates to 1. Two of them give −log 4. What remains is $\int p \log\frac{p}{m} + \int q\log\frac{q}{m}$. Each of the two is a **Kullback–Leibler divergence**: $\mathrm{KL}(p\,\|\,m) = \int p\log\frac{p}{m}$ is the average, over samples of p, of how much more likely p makes them than m does, on a logarithmic scale. It is 0 where both are the same and positive otherwise; it is no distance, since KL(p‖m) and KL(m‖p) differ.
# 4. Half of that sum is by definition the **Jensen–Shannon divergence**, JS(p‖q).
#
# $$V(D^*, G) = 2\,\mathrm{JS}(p\,\|\,q) - \log 4$$
#
# JS is 0 exactly when p = q, and then V = −log 4: the best generator leaves the best discriminator as clueless as a coin. JS is at most log 2, and reaches it when p and q do not overlap at all; then V = 0, and D is never wrong.
#
# Both sides can be integrated numerically. The left uses D* alone, the right KL divergences alone:

# %%
# NBVAL_CHECK_OUTPUT
line = torch.linspace(-30, 30, 12001, dtype=torch.float64)[:, None]


def integral(values):
    return torch.trapezoid(values, line[:, 0])


def value(logit, p, q):
    """V(D, G) for D = sigmoid(logit), as in exercise 1.2, with integrals in place of means."""
    return integral(p.density(line) * F.logsigmoid(logit) + q.density(line) * F.logsigmoid(-logit))


def jensen_shannon(p, q):
    log_p, log_q = p.log_density(line), q.log_density(line)
    log_m = torch.logaddexp(log_p, log_q) - math.log(2)
    return integral(log_p.exp() * (log_p - log_m) + log_q.exp() * (log_q - log_m)) / 2


for name, other in (("the q above", q), ("p itself", p), ("p moved by 20", p.shifted(20.0))):
    best = value(p.log_density(line) - other.log_density(line), p, other)
    bound = 2 * jensen_shannon(p, other) - math.log(4)
    best, bound = (round(v.item(), 4) + 0.0 for v in (best, bound))
    print(f"q is {name:13s}   V(D*, G) = {best:.4f}   2 JS - log 4 = {bound:.4f}")

# %% [markdown]
# The first line is what the trained D's of section 1 came close to; but for the noise of 20,000 samples, no D can surpass it.
#
# Now let the generator be perfect except for its position: q is p moved by s. *Predict the curve of V(D\*, G) over s. Where is its lowest point? What happens for large s? Is it downhill all the way?*
#
# We also train real discriminators at a few positions and compute their V with the known densities. Since D* is the best of all functions, no trained D can lie above the curve.

# %% slide="V is lowest where q = p, and flat where the two no longer overlap"
shifts = torch.linspace(-12, 12, 241)
js = torch.stack([jensen_shannon(p, p.shifted(s)) for s in shifts.tolist()])
slope = torch.gradient(2 * js, spacing=(shifts.double(),))[0]

stops = here.pick(
    ci=[0.0, 2.0, 6.0],
    cpu=[0.0, 1.0, 2.0, 4.5, 6.0, 9.0],
    colab=[0.0, 1.0, 2.0, 4.5, 6.0, 9.0],
    full=[0.0, 1.0, 2.0, 3.0, 4.5, 6.0, 7.5, 9.0],
)
trials = [(p, p.shifted(s)) for s in stops for _ in range(3)]
D = train_discriminators(trials, steps=here.pick(ci=300, cpu=800, colab=800, full=3000), hidden=32)
with torch.no_grad():
    logits = D(line.float()).double()
reached = torch.stack([value(logits[k], *trials[k]) for k in range(len(trials))]).reshape(len(stops), 3)

figure, (top, bottom) = show.new_figure(7, 3.8, nrows=2, sharex=True, height_ratios=[2, 1])
top.plot(shifts, 2 * js - math.log(4), color="black", label=r"$V(D^*, G) = 2\,JS - \log 4$")
top.plot(
    stops, reached, "o", color=show.GREEN, ms=7, alpha=0.8, label=["trained D, three seeds each", "_", "_"]
)
top.axhline(0, color=show.GREY, ls=":")
top.axhline(-math.log(4), color=show.GREY, ls=":")
top.text(-12, 0.06, "JS = log 2: no overlap", color=show.GREY)
top.text(-12, -math.log(4) + 0.06, "JS = 0: q = p", color=show.GREY)
top.set(ylabel="value V", ylim=(-1.55, 0.4))
top.legend(loc="lower center", bbox_to_anchor=(0.5, 1), ncols=2)
bottom.semilogy(shifts, slope.abs().clamp(min=1e-12), color="black")
bottom.set(
    xlabel="s, how far q = p moved by s is from p", ylabel="|dV/ds|", ylim=(1e-9, 10), yticks=[1e-8, 1e-4, 1]
)
show.figure(
    figure,
    "Above: V at the optimal D over the shift s, lowest at s = 0 with -log 4, a side valley near s = 4.5 "
    "and -4.5 where one peak of q meets the other peak of p, and a plateau at 0 beyond 7; trained "
    "discriminators lie on it or just below. Below: its slope on a logarithmic axis, falling by many "
    "powers of ten on the plateau.",
)

# %%
at = {s: int((shifts - s).abs().argmin()) for s in (1.0, 11.0)}
best = torch.stack([value(a.log_density(line) - b.log_density(line), a, b) for a, b in trials])
v_gap = best.reshape_as(reached) - reached
print(f"lowest point of the curve: s = {abs(shifts[js.argmin()]):.1f}, V = {2 * js.min() - math.log(4):.4f}")
print(
    f"slope at s = 1: {slope[at[1.0]]:.3f}; at s = 11: {slope[at[11.0]]:.1e}, "
    f"where JS = {js[at[11.0]]:.6f} and log 2 = {math.log(2):.6f}"
)
print(
    f"{len(trials)} trained D's: V lies below the curve by {v_gap.min():.5f} to {v_gap.max():.5f}; "
    f"above it: {int((v_gap < -1e-9).sum())} of them"
)

# %% [markdown]
# Three things to take from the picture.
#
# - The lowest point is at p = q and nowhere lower. This is why the game makes sense at all.
# - On the plateau the curve is flat: its slope falls by many powers of ten. A generator that descends V against a perfect D, with samples far from the data, hears nothing: **the better D, the less such a G hears**. (Section 3 calls it saturating, and has another G that hears more.) Two thin clouds in a space of thousands of pixels hardly ever overlap, so for a perfect D the plateau would be the normal case (Arjovsky and Bottou 2017, section 2).
# - There is a side valley where one peak of q sits on the wrong peak of p. Even with a perfect D, the way down from there does not lead home.
#
# And the trained D's V is a *lower bound* on the curve: what D fails to see, G cannot be made to pay for.

# %% [markdown]
# ## 3 · Saturating against non-saturating
#
# G enters V through the second term alone. To descend V, it minimises $\log(1 - D(G(z)))$, the **saturating** (or minimax) objective. In the same paper, Goodfellow et al. propose to minimise $-\log D(G(z))$ instead, the **non-saturating** objective. Both say "make D(G(z)) larger". They differ in how loudly they say it.
#
# Let l be D's logit for a fake. First the sigmoid's derivative: from $σ = (1 + e^{-l})^{-1}$ follows $σ' = e^{-l}(1 + e^{-l})^{-2} = σ(1 - σ)$. Then, by the chain rule,
#
# $$\frac{d}{dl}\log(1 - σ) = \frac{-σ(1-σ)}{1-σ} = -σ(l), \qquad \frac{d}{dl}\bigl(-\log σ\bigr) = -\frac{σ(1-σ)}{σ} = -(1 - σ(l)).$$
#
# When D is sure of a fake, l is very negative: $σ(l) ≈ e^{l}$ is almost 0 and 1 − σ(l) is almost 1. The ratio of the two is $(1 - σ)/σ = e^{-l}$.

# %%
# NBVAL_CHECK_OUTPUT
logit = torch.tensor([-8.0, -4.0, 0.0, 4.0], dtype=torch.float64, requires_grad=True)
for name, objective, formula in (
    ("saturating", losses.g_saturating, -torch.sigmoid(logit)),
    ("non-saturating", losses.g_non_saturating, -torch.sigmoid(-logit)),
):
    (by_autograd,) = torch.autograd.grad(len(logit) * objective(logit), logit)  # the losses are means
    by_autograd, formula = ([f"{v:.4f}" for v in values.tolist()] for values in (by_autograd, formula))
    print(f"{name:15s} autograd {by_autograd}   formula {formula}")

# %% slide="Where D is sure of a fake, one push is almost 0, the other almost 1"
logit = torch.linspace(-8, 8, 200)
figure, (left, right) = show.new_figure(8, 3.4, ncols=2)
left.plot(logit, -F.softplus(logit), color=show.ORANGE, label=r"saturating: $\log(1 - σ)$")
left.plot(logit, F.softplus(-logit), color=show.PINK, label=r"non-saturating: $-\log σ$")
right.plot(logit, torch.sigmoid(logit), color=show.ORANGE)
right.plot(logit, torch.sigmoid(-logit), color=show.PINK)
right.text(-7.5, 0.88, "$1 - σ$", color=show.PINK)
right.text(-7.5, 0.06, "$σ$", color=show.ORANGE)
left.set(xlabel="logit l of a fake", ylabel="G's loss")
right.set(xlabel="logit l of a fake", ylabel="push on the logit")
figure.legend(loc="outside upper center", ncols=2)
for axes in (left, right):
    axes.axvspan(-8, -4, color=show.GREY, alpha=0.15, lw=0)
show.figure(
    figure,
    "Left: both losses of the generator over the logit of a fake, both falling. Right: how hard each "
    "pushes: in the shaded band where D is sure of a fake, the saturating push is almost 0, the "
    "non-saturating one almost 1.",
)

# %% [markdown]
# ### Exercise 1.3 · The non-saturating gradient by hand
#
# Difficulty ●●○○○ · 10 minutes · why it matters: with this vector begins everything that G hears from D.
#
# For a batch of N fake logits, return the derivative of the loss (the mean of −log D) by each logit. No autograd.
#
# <details><summary>Hint 1</summary>
#
# The formula above is for one logit. The loss is the mean over N of them: what does that do to the derivative by one of them?
#
# </details>
# <details><summary>Hint 2</summary>
#
# The derivative of −log σ(l) is −(1 − σ(l)), and 1 − σ(l) = σ(−l).
#
# </details>
# <details><summary>Hint 3</summary>
#
# The result has one number for each logit, all of them negative. N is `len(fake_logits)`.
#
# </details>


# %%
def non_saturating_gradient(fake_logits):
    """d/dl of mean(-log sigmoid(l)) for every logit: [N] -> [N]."""
    # solution
    return -torch.sigmoid(-fake_logits) / len(fake_logits)
    # end solution


# %%
lesson_01.exercise_3(non_saturating_gradient)

# %%
mu = torch.zeros(1, requires_grad=True)  # G(z) = mu + z, against the last D that section 2 trained
logits = D(mu + torch.randn(256, 1, generator=torch.Generator().manual_seed(SEED)))[-1]
push = torch.as_tensor(non_saturating_gradient(logits.detach())).to(logits)
(by_hand,) = torch.autograd.grad(logits, mu, push, retain_graph=True)  # your vector in place of a loss
(by_loss,) = torch.autograd.grad(losses.g_non_saturating(logits), mu)
print(f"the gradient of G's mu: from your vector {by_hand.item():.5f}, from the loss {by_loss.item():.5f}")

# %% [markdown]
# Your vector of pushes, carried back through D, is all that reaches G. Young generators live in the shaded band, where D is sure of them. Let us measure there, on a D that was trained. The target is now in the plane, eight small Gaussians on a circle of radius 2; an untrained G puts all its samples in a clump near the middle. We train D alone, for longer and longer, and ask both objectives for the gradient of all of G's weights.
#
# *Predict: when D's logit on the fakes has come down to −7, by what factor do the two gradients differ? (A logit of −7 is D = 0.0009.)*


# %%
def gradient_norms(gan, objective, z):
    """Length of the gradient of G's weights, for each copy."""
    weights = list(gan.G.parameters())
    by_weight = torch.autograd.grad(len(gan.seeds) * objective(gan.D(gan.G(z))), weights)
    return torch.stack([g.flatten(1).norm(dim=1) for g in by_weight]).norm(dim=0)


gan = toy.ToyGAN(toy.eight_gaussians(), seeds=seeds)
z = gan.latent(1000)
ahead = here.pick(
    ci=[0, 10, 30, 100, 300],
    cpu=[0, 10, 30, 100, 300, 1000],
    colab=[0, 10, 30, 100, 300, 1000],
    full=[0, 10, 30, 100, 300, 1000, 3000],
)
rows = []
for steps in ahead:
    while gan.d_steps < steps:
        gan.step_d()
    with torch.no_grad():
        D_fake = torch.sigmoid(gan.D(gan.G(z))).mean(1)
    s, n = (gradient_norms(gan, objective, z) for objective in (losses.g_saturating, losses.g_non_saturating))
    rows.append(torch.stack([D_fake, s, n, n / s, (1 - D_fake) / D_fake]))
    D_fake, s, n, measured, predicted = rows[-1].median(dim=1).values
    print(
        f"{steps:5d} steps of D: mean D(fake) {D_fake:.1e}, gradient saturating {s:.1e}, "
        f"non-saturating {n:.1e}, ratio {measured:,.1f} (predicted {predicted:,.1f})"
    )
rows = torch.stack(rows)  # [stages, 5, seeds]

# %% slide="The better D gets, the less the saturating objective has to say"
figure, axes = show.new_figure(7, 3.3)
for k, colour, name in ((1, show.ORANGE, "saturating"), (2, show.PINK, "non-saturating")):
    axes.plot(
        [max(a, 3) for a in ahead],
        rows[:, k],
        "o-",
        color=colour,
        alpha=0.7,
        label=[name] + ["_"] * (len(seeds) - 1),
    )
axes.set(
    xscale="log",
    yscale="log",
    xlabel="steps of D, G standing still (the first point: none)",
    ylabel="gradient of G's weights",
)
axes.legend(loc="lower left")
show.figure(
    figure,
    "Length of the generator's gradient over the number of discriminator steps, one line a seed: the "
    "saturating gradient falls by orders of magnitude, the non-saturating one grows.",
)

# %% [markdown]
# (Printed: the median over seeds. Predicted: the two pushes averaged over the batch, (1 − mean D)/(mean D), as if all fakes pulled in one direction; at a logit of −7 for all it is $e^7 ≈ 1{,}100$.) The better D gets, the less the saturating objective has to say, while the non-saturating gradient even grows: its push can at most double, from ½ to 1, and the rest is D, which becomes steeper.
#
# ### Does it matter in training?
#
# "The gradient is too weak while D is ahead" is the reason that Goodfellow et al. (2014, section 3) give for the second objective, and PyTorch's *DCGAN Tutorial* repeats it. One of the documents this course follows (the 128-pixel DCGAN notes, in their list of imbalances) says more: with a D that learns too fast, G's gradient goes towards zero. Their G is non-saturating, and for such a G the figure above says the opposite.
#
# Nor is a small gradient harmful by itself. It is harmful if steps are proportional to it. Plain gradient descent (SGD) is; Adam divides each gradient by its own recent size. So here are four trainings from the same start: D is given a head start, then both play. *Predict which of the four never gets going.*


# %% slide="With SGD the saturating G hardly leaves the middle; with Adam both arrive"
def chase(objective, optimiser):
    """Mean radius of the fakes after D's head start and as many rounds of both; a number each seed."""
    gan = toy.ToyGAN(toy.eight_gaussians(), objective, seeds)
    for _ in range(rounds):
        gan.step_d()
    step = optimiser(gan.G.parameters())
    for _ in range(rounds):
        gan.step_d()
        loss = len(seeds) * objective(gan.D(gan.G(gan.latent(128))))
        step.zero_grad()
        loss.backward()
        step.step()
    return gan.samples().norm(dim=-1).mean(dim=1)


rounds = here.pick(ci=200, cpu=400, colab=400, full=1000)
radius = {}
for name, optimiser in (
    ("SGD", lambda weights: torch.optim.SGD(weights, lr=0.02)),
    ("Adam", lambda weights: torch.optim.Adam(weights, lr=2e-3, betas=(0.5, 0.999), fused=True)),
):
    for objective in (losses.g_saturating, losses.g_non_saturating):
        radius[name, objective] = r = chase(objective, optimiser)
        shown = ", ".join(f"{v:.2f}" for v in r)
        print(f"{name:4s} {objective.__name__:16s} mean radius, each seed: {shown}   (target: 2)")

# %% [markdown]
# Compare the first line with the second: with SGD the saturating generator hardly leaves the middle, while the non-saturating one gets out to the ring. Then compare the last two: with Adam both arrive. Much of what is said about vanishing gradients is true of the gradient, and mended by the optimiser.
#
# ### And what does the non-saturating G minimise?
#
# Not the Jensen–Shannon divergence. One thing first. When G moves, D* moves too, since it depends on q; yet G's step takes D as fixed. For V that makes no difference. V(D*, G) depends on G directly, and through D*. But D* sits on the top of V, where a small change of D changes nothing. So the second part of the derivative is 0, and *the gradient with D held fixed is the whole gradient of 2 JS*. (This is called an **envelope** argument.)
#
# Now write −log D* as log(q/p) + log((p+q)/q), that is $\log\frac{q}{p} - \log(1 - D^*)$, and average over samples of q with D held fixed. The second part gives minus the gradient of 2 JS, as just seen. The first gives the gradient of KL(q‖p), the mean of log(q/p) over samples of q. Holding log(q/p) fixed leaves out $\int q\,\frac{\partial \log q}{\partial θ} = \int \frac{\partial q}{\partial θ} = \frac{\partial}{\partial θ}\int q$, and that is 0, because q always integrates to 1. Together:
#
# $$\nabla_θ\,\mathbb{E}\bigl[-\log D^*(G_θ(z))\bigr] = \nabla_θ\bigl(\mathrm{KL}(q\,\|\,p) - 2\,\mathrm{JS}(p\,\|\,q)\bigr)$$
#
# (Arjovsky and Bottou 2017, theorem 2.5). We check both objectives at one point: p has two peaks, q is one Gaussian N(μ, s²), D is perfect, and everything is integrated: no samples, no network.

# %%
two_peaks = toy.on_a_line(centres=[-2.5, 2.5], sigmas=[0.6, 0.6], weights=[0.5, 0.5])
z = torch.linspace(-6, 6, 1201, dtype=torch.float64)
phi = torch.exp(-z.square() / 2) / math.sqrt(2 * math.pi) * (z[1] - z[0])  # E over z is an integral too


def expected_loss(objective, mu, log_s):
    """E over z of G's objective, a function of the logit, at the optimal D of q, which is held fixed."""
    sample = mu + log_s.exp() * z  # G(z): gradients flow to mu and log_s through here alone
    log_q = -((sample - mu.detach()) / log_s.detach().exp()).square() / 2
    log_q = log_q - log_s.detach() - math.log(2 * math.pi) / 2
    return (phi * objective(two_peaks.log_density(sample[:, None]) - log_q)).sum()


def saturating(logit):
    return F.logsigmoid(-logit)


def non_saturating(logit):
    return -F.logsigmoid(logit)


def kl(q, p):
    return integral(q.density(line) * (q.log_density(line) - p.log_density(line)))


mu = torch.tensor(1.0, dtype=torch.float64, requires_grad=True)
near = [toy.on_a_line([m], [1.0], [1.0]) for m in (1.01, 0.99)]
js_slope, kl_slope = ((f(near[0], two_peaks) - f(near[1], two_peaks)) / 0.02 for f in (jensen_shannon, kl))
for objective, name, by_difference in (
    (saturating, "2 JS", 2 * js_slope),
    (non_saturating, "KL(q||p) - 2 JS", kl_slope - 2 * js_slope),
):
    (by_autograd,) = torch.autograd.grad(expected_loss(objective, mu, torch.zeros_like(mu)), mu)
    print(f"{objective.__name__:15s} by autograd {by_autograd:+.4f}, slope of {name} {by_difference:+.4f}")

# %% [markdown]
# KL(q‖p) is harsh on samples where p is small, and says nothing about places where p is large and q is not. So it should rather give up a mode than put samples between two. Let both objectives descend from the same starts. *Predict which mean and width each will choose.*


# %%
def fit(objective, mu, rounds=400):
    """Descend an objective over mean and width of q, a perfect D at every step; q starts with width 1."""
    mu = torch.tensor(mu, dtype=torch.float64, requires_grad=True)
    log_s = torch.zeros((), dtype=torch.float64, requires_grad=True)
    adam = torch.optim.Adam([mu, log_s], lr=0.05)
    for _ in range(rounds):
        adam.zero_grad()
        expected_loss(objective, mu, log_s).backward()
        adam.step()
    return mu.item(), log_s.exp().item()


starts = (0.3, 1.0, 2.0)
fits = {
    "saturating": [fit(saturating, mu) for mu in starts],
    "non-saturating": [fit(non_saturating, mu) for mu in starts],
}
for name, found in fits.items():
    print(
        f"{name:15s}",
        "   ".join(
            f"from {mu}: N({round(m, 2) + 0.0:.2f}, {s:.2f}²)"
            for mu, (m, s) in zip(starts, found, strict=True)
        ),
    )

# %% slide="One objective covers both peaks and the gap, the other keeps one peak"
figure, axes = show.new_figure(7, 3)
axes.fill_between(line[:, 0], two_peaks.density(line), color=show.REAL, alpha=0.25, lw=0, label="p, real")
for (name, found), colour in zip(fits.items(), (show.ORANGE, show.PINK), strict=True):
    mu, s = found[1]
    chosen = toy.on_a_line([mu], [s], [1.0])
    axes.plot(line[:, 0], chosen.density(line), color=colour, lw=3, label=f"q, {name}")
axes.set(xlim=(-7, 7), xlabel="x", ylabel="density")
axes.legend(loc="upper left")
show.figure(
    figure,
    "Two real peaks. The Gaussian fitted with the saturating objective spreads over both peaks and the "
    "gap between them; the one fitted with the non-saturating objective covers one peak and leaves the "
    "other out.",
)

# %% [markdown]
# Drawn is the start at μ = 1. From there the saturating objective covers both peaks and pays with samples in the gap; the non-saturating one makes good samples of one peak and forgets the other. It is *mode-seeking*. (Started on top of a peak, at μ = 2, the saturating one stays there as well: a side valley like the one in section 2.) Hold on to this prediction until section 5.
#
# ---
#
# **The first sitting ends here.** So far one player stood still or was perfect. In the second, both move.

# %% [markdown]
# ## 4 · When does training spiral?
#
# What happens when both players move? The smallest GAN that shows it has one number for each player: the **Dirac-GAN** (Mescheder, Geiger and Nowozin 2018).
#
# - All real data sit at 0. All fakes sit at θ, which is G's only parameter.
# - D's logit is ψx, a line through the origin with slope ψ, D's only parameter.
# - The solution is θ = 0 (G hits the data) and ψ = 0 (D has no opinion).
#
# D minimises −V = −log σ(0) − log(1 − σ(ψθ)) = log 2 + softplus(ψθ), and the saturating G minimises log(1 − σ(ψθ)) = −softplus(ψθ), where $\mathrm{softplus}(t) = \log(1 + e^t)$ has the derivative σ(t). So
#
# $$\frac{\partial L_D}{\partial ψ} = θ\,σ(ψθ), \qquad \frac{\partial L_G}{\partial θ} = -ψ\,σ(ψθ).$$
#
# Near the solution σ(ψθ) ≈ σ(0) = ½. (The non-saturating G has −ψ σ(−ψθ), with the same ½ there: close to the solution the two objectives are one.) Never trust a derivation that autograd has not seen:

# %%
# NBVAL_CHECK_OUTPUT
theta = torch.tensor(0.7, dtype=torch.float64, requires_grad=True)
psi = torch.tensor(-1.3, dtype=torch.float64, requires_grad=True)
real_logits = psi * torch.zeros(1)  # a batch of one real point, 0
fake_logits = (psi * theta)[None]  # and of one fake, theta
(by_theta,) = torch.autograd.grad(losses.g_saturating(fake_logits), theta, retain_graph=True)
(by_psi,) = torch.autograd.grad(losses.d_bce(real_logits, fake_logits), psi)
formula = toy.dirac_gradients(theta.item(), psi.item())
print(f"autograd: dL_G/dθ = {by_theta:.6f}, dL_D/dψ = {by_psi:.6f}")
print(f"formulas: dL_G/dθ = {formula[0]:.6f}, dL_D/dψ = {formula[1]:.6f}")

# %% [markdown] slide="Both at once spirals out; D first, then G, goes round and round"
# **Infinitely small steps.** Both follow their negative gradients: $\dot θ = ψσ$, $\dot ψ = -θσ$. Then $\frac{d}{dt}(θ^2 + ψ^2) = 2θψσ - 2ψθσ = 0$: the distance to the solution never changes. They circle. In matrix form, near the solution,
#
# $$\begin{pmatrix}\dot θ\\ \dot ψ\end{pmatrix} = J \begin{pmatrix}θ\\ ψ\end{pmatrix}, \qquad J = \begin{pmatrix}0 & ½\\ -½ & 0\end{pmatrix}, \qquad \text{eigenvalues } \pm \tfrac{i}{2}.$$
#
# J, the table of the slopes of both right-hand sides by θ and by ψ, is the **Jacobian**. An **eigenvalue** of a matrix is a number λ by which it multiplies some vector without turning it: Jv = λv. Along such a v the equation reads $\dot v = λv$ and is solved by $e^{λt}$. A real λ means growth or decay. A complex one comes with its mirror image, and such a pair means rotation: the imaginary part is its speed, and the real part, here 0, is the rate of growth or decay.
#
# **Steps of size h, both at once** (simultaneous). The update matrix is I + hJ (I: the identity), with eigenvalues 1 ± ih/2. Steps *multiply*: after k of them an eigenvalue λ has become $λ^k$. So now its modulus |λ| decides (above 1 grows, below 1 decays), and its angle is the rotation a step. Here each step multiplies the distance by $|1 + ih/2| = \sqrt{1 + h^2/4} > 1$ and turns by arctan(h/2). Out it goes, for every h.
#
# **D first, then G answers the new D** (alternating, as in all training loops of this course). One matrix for each half step, the later one on the left:
#
# $$\begin{pmatrix}1 & h/2\\ 0 & 1\end{pmatrix}\begin{pmatrix}1 & 0\\ -h/2 & 1\end{pmatrix} = \begin{pmatrix}1 - h^2/4 & h/2\\ -h/2 & 1\end{pmatrix}$$
#
# The eigenvalues of a 2 × 2 matrix solve λ² − trace · λ + determinant = 0, where the trace is the sum of the diagonal. Here the determinant is 1 and the trace 2 − h²/4. While |trace| < 2, that is h < 4, the solutions are a complex pair, mirror images of each other, whose product |λ|² is the determinant, 1. So they lie on the unit circle, at the angle 2 arcsin(h/4): it goes round and round, neither in nor out. Beyond h = 4 they are real, one of them outside the circle.
#
# Now measure. We run the true, nonlinear game from a point close to the solution, fit the matrix that best takes each point to the next (least squares), and compare its eigenvalues with the prediction.


# %%
# NBVAL_CHECK_OUTPUT
def largest(matrix):
    """Modulus and angle of the eigenvalue of largest modulus: growth per step, and rotation in radians."""
    eigenvalues = torch.linalg.eigvals(matrix)
    top = eigenvalues[eigenvalues.abs().argmax()]
    return top.abs().item(), abs(top.angle().item())


def fitted(path):
    """The 2 x 2 matrix M that best satisfies path[k + 1] = M path[k]."""
    return torch.linalg.lstsq(path[:-1], path[1:]).solution.T


for alternating in (False, True):
    for rate in (0.2, 1.0, 3.9, 4.1):
        growth, angle = largest(toy.dirac_matrix(rate, alternating))
        path = toy.dirac_run(rate, 12, alternating, start=(1e-6, 0.0))
        found, turned = largest(fitted(path))
        name = "alternating" if alternating else "simultaneous"
        print(
            f"{name:12s} h = {rate}: growth per step {growth:.4f} predicted, {found:.4f} measured; "
            f"rotation {angle:.4f} predicted, {turned:.4f} measured"
        )

# %% [markdown]
# Prediction and measurement agree to every digit printed. At h = 4.1 the alternating game jumps from side to side (a rotation by π) and grows. Alternating steps are not a detail of implementation: at the same rate below 4 they turn a spiral into a closed orbit. But a closed orbit is not convergence either.
#
# ### A cure: charge D for its slope
#
# An **R1 penalty** adds $\frac{γ}{2}\,\mathbb{E}_{x\sim p}\,|\nabla_x l(x)|^2$ to D's loss. Here the slope of the logit is ψ everywhere, so the penalty is γψ²/2 and its gradient γψ. The Jacobian becomes
#
# $$J = \begin{pmatrix}0 & ½\\ -½ & -γ\end{pmatrix}, \qquad λ = \frac{-γ \pm \sqrt{γ^2 - 1}}{2}.$$
#
# The real part is negative for every γ > 0: the spiral turns inwards. For γ < 1 it still rotates, with $|1 + hλ|^2 = 1 - hγ + h^2/4$ for simultaneous steps, which is below 1 exactly when h < 4γ. For γ > 1 the rotation is gone. *Predict: at h = 0.2, is γ = 0.03 enough? And 0.1?*

# %% slide="Below γ = h/4 the penalty is too weak for steps of this size"
print(f"{'γ':>5s}  {'λ':>18s}  growth per step at h = 0.2, predicted | measured")
for penalty in (0.0, 0.03, 0.1, 0.5, 2.0):
    root = torch.sqrt(torch.tensor(penalty**2 - 1, dtype=torch.complex128))
    eigenvalues = torch.stack([(-penalty + root) / 2, (-penalty - root) / 2])
    path = toy.dirac_run(0.2, 40, alternating=False, penalty=penalty, start=(1e-6, 0.0))
    shown = f"{eigenvalues[0].real:.3f}" + (
        f" ± {eigenvalues[0].imag:.3f}i" if penalty < 1 else f", {eigenvalues[1].real:.3f}"
    )
    predicted = (1 + 0.2 * eigenvalues).abs().max()
    print(f"{penalty:5.2f}  {shown:>18s}  {predicted:.5f} | {largest(fitted(path))[0]:.5f}")

# %% [markdown]
# The border is γ = h/4 = 0.05: below it the penalty is too weak for steps of this size.

# %% [markdown]
# ### Exercise 1.4 · Will it spiral?
#
# Difficulty ●●●○○ · 25 minutes · why it matters: eigenvalues tell before the run what the loss curves tell after it.
#
# Write the matrix of one alternating step of the Dirac-GAN near the solution, D first, with an R1 penalty γ on D: (θ, ψ) after the step is the matrix times (θ, ψ) before. Compute in float64. Then write the verdict on any 2 × 2 update matrix: `"converges"`, `"circles"` (modulus 1, to about 1e-9) or `"diverges"`.
#
# <details><summary>Hint 1</summary>
#
# Which of the two moves first, and which values does the other use? Write down what ψ becomes after D's half step, then what θ becomes after G's.
#
# </details>
# <details><summary>Hint 2</summary>
#
# D's half step: θ stays, and ψ becomes ψ − h (θ/2 + γψ). G's: ψ stays, and θ becomes θ + h ψ/2, with the new ψ. Each is a matrix; what is done first stands on the right of the product `@`.
#
# </details>
# <details><summary>Hint 3</summary>
#
# `torch.linalg.eigvals` gives the two eigenvalues, as complex numbers; `.abs()` their moduli. The larger one decides. Make the matrix of `dtype=torch.float64`: float32 rounds at about 1e-7, and you have to tell 1 from 1 + 1e-8.
#
# </details>


# %%
def update_matrix(rate, penalty):
    """One alternating step near the solution: [2, 2], first row and column theta, second psi."""
    # solution
    step_of_d = torch.tensor([[1.0, 0.0], [-rate / 2, 1.0 - rate * penalty]], dtype=torch.float64)
    step_of_g = torch.tensor([[1.0, rate / 2], [0.0, 1.0]], dtype=torch.float64)
    return step_of_g @ step_of_d
    # end solution


def verdict(matrix):
    """What the update does in the long run: "converges", "circles" or "diverges"."""
    # solution
    modulus = torch.linalg.eigvals(matrix).abs().max().item()
    if abs(modulus - 1) < 1e-9:
        return "circles"
    return "diverges" if modulus > 1 else "converges"
    # end solution


# %%
lesson_01.exercise_4(update_matrix, verdict)

# %% [markdown]
# All of this was close to the solution. Here are three runs that start far from it, on top of the vector field that both players follow.

# %% slide="Far from the solution it is the same: out, round, or inwards"
rate, steps, frames = 0.5, 60, here.pick(ci=6, cpu=24, colab=24, full=24)
runs = (
    ("simultaneous", "black", toy.dirac_run(rate, steps, False, start=(0.4, 0.0))),
    ("alternating", show.SKY, toy.dirac_run(rate, steps, True, start=(1.2, 0.0))),
    ("alternating, R1 with γ = 0.2", show.GREEN, toy.dirac_run(rate, steps, True, 0.2, start=(2.0, 0.0))),
)
axis = torch.linspace(-2.8, 2.8, 15)
field = torch.tensor(
    [[(t.item(), s.item(), *toy.dirac_gradients(t.item(), s.item())) for t in axis] for s in axis]
)
figure, axes = show.new_figure(6, 5.6)
axes.quiver(
    *field[..., :2].unbind(-1), *(-field[..., 2:]).unbind(-1), color=show.GREY, alpha=0.5, width=0.003
)
axes.plot(0, 0, "*", color=show.RED, ms=16)
lines = [axes.plot([], [], "o-", color=colour, ms=4, lw=1.5, label=name)[0] for name, colour, _ in runs]
axes.set(xlim=(-2.9, 2.9), ylim=(-2.9, 3.7), xlabel="θ, where G puts its samples", ylabel="ψ, D's slope")
axes.legend(loc="upper left")
pictures = []
for k in torch.linspace(2, steps + 1, frames).int().tolist():
    for drawn, (_, _, path) in zip(lines, runs, strict=True):
        drawn.set_data(*path[:k].T)
    pictures.append(show.figure(figure, "a frame", dpi=40))
show.animation(
    pictures,
    "Paths of a Dirac-GAN around the solution at the origin, over the field of both players' steps: "
    "simultaneous steps spiral outwards, alternating ones stay on a closed orbit, and with an R1 penalty "
    "they spiral inwards.",
    ms=200,
    quality=60,
)

# %%
matrices = toy.dirac_matrix(rate, False), update_matrix(rate, 0.0), update_matrix(rate, 0.2)  # exercise 1.4
for (name, _, path), matrix in zip(runs, matrices):
    distance = path.norm(dim=1)
    print(
        f"{name:30s} distance from the solution: {distance[0]:.2f} at the start, {distance[-1]:.2f} after "
        f"{steps} steps; your verdict: {verdict(torch.as_tensor(matrix))}"
    )
dirac_growth = largest(fitted(toy.dirac_run(0.2, 40, False, start=(1e-6, 0.0))))[0]

# %% [markdown]
# The rule to carry away: write the update as a matrix near the solution. Complex eigenvalues mean rotation. A modulus above 1 means spiralling out, exactly 1 circling, below 1 converging. The losses of a circling GAN go up and down for ever, however good its samples are.

# %% [markdown]
# ## 5 · Eight Gaussians in the plane
#
# Now everything at once: a generator and a discriminator with two hidden layers of 64 units, Adam for both, and the objectives from above. The target is known, so we can say exactly what "good" means:
#
# - A **mode is covered** when at least 1 % of the samples lie within 3σ of its centre. (A fair share would be 12.5 %.)
# - The **quality** is the share of samples that lie within 3σ of any centre. (For the real data themselves it is $1 - e^{-4.5}$ ≈ 98.9 %, the mass of a round Gaussian in the plane within 3σ.)

# %%
# NBVAL_CHECK_OUTPUT
target = toy.eight_gaussians()
real = target.sample(20000, torch.Generator().manual_seed(SEED))
one_mode = target.centres[:1].repeat(100, 1)
print(f"real data: {toy.coverage(real, target).modes} modes; quality in theory {1 - math.exp(-4.5):.3f}")
print(f"a generator that knows one mode only: {toy.coverage(one_mode, target).modes} mode")

# %% [markdown]
# ### Exercise 1.5 · Count the modes
#
# Difficulty ●●○○○ · 15 minutes · why it matters: "mode collapse" is a word until somebody counts.
#
# A mode is covered when at least 1 % of *all* samples lie within 3σ of its centre. `torch.cdist` helps.
#
# <details><summary>Hint 1</summary>
#
# Think of a table with a row for each sample and a column for each centre. What does an entry have to say, and along which axis do you then count?
#
# </details>
# <details><summary>Hint 2</summary>
#
# `torch.cdist(samples, centres)` gives all distances, [N, K]. Compare them with 3σ: which sample is near which centre?
#
# </details>
# <details><summary>Hint 3</summary>
#
# The mean of a column of True and False (as `float`) is the share of *all* samples near that centre. How many of the K shares are at least 0.01?
#
# </details>


# %%
def count_modes(samples, centres, sigma):
    """How many of the centres [K, 2] the samples [N, 2] cover: one whole number."""
    # solution
    near = torch.cdist(samples, centres) <= 3 * sigma  # [N, K]
    return int((near.float().mean(dim=0) >= 0.01).sum())
    # end solution


# %%
lesson_01.exercise_5(count_modes)

# %% [markdown]
# ### By hand
#
# Run the cell. You see a GAN in the middle of its training: the colour is D's belief, blue dots are real, orange ones generated. Press **reset**, and both players are beginners. Things to try (1 to 3 in one go, the others after *reset*):
#
# 1. Press **step D** with 50 steps a press, once. D now paints the middle orange and *everything* else blue, the empty outside included: it has seen no fakes there. Then **step G** once with 1 step: hardly anything moves.
# 2. After those 50 steps of D, press **step G** with 50 steps a press, three times, without D. Where do *all* samples go?
# 3. Now **step D** 50 again: D has noticed. Then G again. You are watching a slow version of section 4.
# 4. Press **both**, or play. When do the first modes appear? Which one is last?
# 5. Set *D steps a round* to 5 and play for a long time; then the same with the saturating objective. Count modes.

# %% slide="G never sees data: all it hears is D's opinion"
in_the_middle = toy.ToyGAN(target, seeds=[SEED])
in_the_middle.train(200)
widgets.StepByStep(in_the_middle)

# %% [markdown]
# (Where nothing can be pressed, such as on GitHub, the lesson shows a still picture in its place.) Here is the second experiment again, in numbers, for every seed. *Predict what G does when D stands still.*

# %% slide="Against a D that stands still, G runs to wherever D's belief is high"
gan = toy.ToyGAN(target, seeds=seeds)
plane = widgets.Plane(gan)
stages, said = [], []


def look(what):
    fakes = gan.samples()
    stages.append(plane.frame(what))
    believed = torch.sigmoid(gan.D(fakes)).mean().item()
    modes = [int(count_modes(one, target.centres, 0.1)) for one in fakes]  # exercise 1.5
    said.append(
        f"{what:28s} D believes in fakes {believed:.2f}, "
        f"in real points {gan.belief(real[:2000]).mean():.2f}; "
        f"spread of the fakes (std) {fakes.std(dim=1).mean():.2f}, modes {modes}"
    )


look("start")
for _ in range(50):
    gan.step_d()
look("50 steps of D")
gan.step_g()
look("then 1 step of G")
for _ in range(149):
    gan.step_g()
look("then 149 more steps of G")
print("\n".join(said))
show.animation(
    stages,
    "Four stages of hand training: the start; D paints the middle orange, the rest blue; one step of G "
    "moves little; after 149 more steps of G with D standing still, the fakes have run outwards to where "
    "D believes most.",
    ms=1800,
    hold=3000,
)

# %% [markdown]
# G has fooled this D, as the beliefs show, and has learnt next to nothing about the data: count its modes. It ran to wherever D's belief is high, often past the ring into the region that section 1 warned about. G never sees data. Without a D that keeps moving there is nothing to imitate.

# %% [markdown]
# ### Exercise 1.6 · One step of D
#
# Difficulty ●●●○○ · 15 minutes · why it matters: it is half of every GAN's training loop, and the half where gradients leak.
#
# Make fakes G(z) of the latents you are given, descend −V by one step of the optimiser (which holds D's weights alone), and leave G exactly as it was: its weights, and its gradients.
#
# <details><summary>Hint 1</summary>
#
# Which four lines does every training step in PyTorch have? Which network's weights are in the optimiser?
#
# </details>
# <details><summary>Hint 2</summary>
#
# `losses.d_bce(real_logits, fake_logits)` is −V. D has to look at the fakes, but no gradient may flow through them into G.
#
# </details>
# <details><summary>Hint 3</summary>
#
# `.detach()` cuts a tensor off from the graph that made it. Then, in this order: the loss, `zero_grad()`, `backward()`, `step()`.
#
# </details>


# %%
def step_d(G, D, optimiser, real, z):
    """One step of D on real points [.., N, 2] and latents z [.., N, 2]; G and its gradients stay."""
    # solution
    fake = G(z).detach()
    loss = losses.d_bce(D(real), D(fake))
    optimiser.zero_grad()
    loss.backward()
    optimiser.step()
    # end solution


# %%
lesson_01.exercise_6(step_d)

# %% [markdown]
# ### All the way
#
# Now both in turn. Watch the colour under the blue dots: strongly blue at first, then paler, because white is the colour of ½, and D* = ½ where q has come to equal p. Between the modes it is orange: that is what drives stragglers home.

# %% slide="Trained in turns, G's points gather around the eight clusters"
total, frames = here.pick(ci=300, cpu=2000, colab=2000, full=4000), here.pick(ci=5, cpu=16, colab=16, full=16)
gan = toy.ToyGAN(target, seeds=[SEED])
plane = widgets.Plane(gan, points=250, dpi=60)
pictures = [plane.frame("0 rounds")]
for _ in range(frames):
    gan.train(total // frames)
    pictures.append(plane.frame(f"{gan.g_steps} rounds"))
print(widgets.describe(gan))
show.animation(
    pictures,
    "A GAN learning eight Gaussians: the generated points start in the middle, reach out to the ring, and "
    "gather around the eight real clusters, where D's belief turns from blue to nearly white; between "
    "them it is orange.",
    ms=300,
    quality=60,
)

# %% [markdown]
# ### Two beliefs on trial
#
# Two beliefs are as old as GANs. The non-saturating objective is better, since it leads to the same place with stronger gradients (Goodfellow et al. 2014, section 3). And more steps of D for each step of G are safer, since a G that moves too much while D stands still collapses (the same paper, section 6). Section 3 suggests something finer: the nearer D is to its optimum, the more the saturating G should descend JS and keep all modes, and the more the non-saturating one should seek modes: fewer of them, with better samples. Four configurations, the same seeds for each.
#
# At the end of each training we also ask how near D was to its optimum: G is frozen, D trains on alone, and we note by how much V rises. A perfect D would gain nothing.
#
# *Predict modes and quality for the four, then run.* (This is the longest cell of the lesson.)


# %%
def estimate_v(gan, n=4000):
    """V(D, G) of each copy from n fresh samples."""
    with torch.no_grad():
        real_logits, fake_logits = gan.D(gan.real(n)), gan.D(gan.G(gan.latent(n)))
    return torch.tensor([float(value_from_logits(r, f)) for r, f in zip(real_logits, fake_logits)])


rounds = here.pick(ci=200, cpu=2000, colab=2000, full=2000)
study = {}
for d_steps in (1, 5):
    for objective in (losses.g_non_saturating, losses.g_saturating):
        gan = toy.ToyGAN(target, objective, seeds)
        looks = []
        for _ in range(10):
            gan.train(rounds // 10, d_steps)
            looks.append(toy.coverage(gan.samples(), target))
        study[d_steps, objective] = looks
        v = estimate_v(gan)
        for _ in range(rounds // 4):
            gan.step_d()
        left = (estimate_v(gan) - v).mean()
        last = looks[-1]
        print(
            f"{d_steps} D a round, {objective.__name__:16s} modes at the end {last.modes.tolist()}; "
            f"quality {last.quality.mean():.2f} ± {last.quality.std():.2f} (std over {len(seeds)} seeds); "
            f"V rises by {left:.2f} if D trains on"
        )

# %%
figure, (left, right) = show.new_figure(8, 3.8, ncols=2)
for (d_steps, objective), looks in study.items():
    colour = show.PINK if objective is losses.g_non_saturating else show.ORANGE
    style = "-" if d_steps == 5 else ":"
    name = f"{objective.__name__[2:].replace('_', '-')}, {d_steps} D"
    at = [rounds // 10 * (k + 1) for k in range(10)]
    for axes, values in (
        (left, [look.modes.float() for look in looks]),
        (right, [look.quality for look in looks]),
    ):
        values = torch.stack(values)
        axes.plot(at, values.mean(1), style, color=colour, label=name, lw=2.5)
        if d_steps == 5:
            axes.fill_between(at, values.min(1).values, values.max(1).values, color=colour, alpha=0.2, lw=0)
left.set(xlabel="steps of G", ylabel="modes covered", ylim=(0, 8.4))
right.set(xlabel="steps of G", ylabel="quality", ylim=(0, 1))
figure.legend(*left.get_legend_handles_labels(), loc="outside upper center", ncols=2)
show.figure(
    figure,
    "Modes covered and sample quality over training, for two objectives with one or five discriminator "
    "steps a round; lines are means over seeds, bands the range for five steps. The printed lines give "
    "the final numbers.",
)


# %%
def ends(d_steps, objective):
    """At the end of training: seeds that lost a mode, and mean quality."""
    last = study[d_steps, objective][-1]
    return int((last.modes < 8).sum()), last.quality.mean().item()


(ns_lost, ns_quality), (sat_lost, sat_quality) = (
    ends(5, losses.g_non_saturating),
    ends(5, losses.g_saturating),
)
print(
    f"with five D steps, of {len(seeds)} seeds a mode was lost by {ns_lost} non-saturating and {sat_lost} "
    f"saturating ones; quality {ns_quality:.2f} and {sat_quality:.2f}"
)

# %% [markdown] slide="With a busier D, the non-saturating objective loses modes far more often"
# A handful of seeds is a hint, not a proof. (And the 200 rounds of profile `ci` are too few for it: modes are still being found there, and none can be lost.) The same measurement over seeds 0 to 29 with 2,000 rounds, made for this text, gave with five steps of D:
#
# | objective | seeds that lost a mode | mean of modes | worst seed | mean quality |
# |---|---|---|---|---|
# | non-saturating | 21 of 30 | 6.8 | 4 | 0.87 |
# | saturating | 1 of 30 | 7.8 | 3 | 0.80 |
#
# (On another processor it was 22 and 1 of 30: a training is chaotic enough for the last digit to matter.) So the direction is as predicted: with a busier D, the non-saturating objective loses modes far more often, and its samples are nearer to the modes it keeps. More steps of D are not safer for it. Read the table twice, though. The one saturating run that failed failed worst. And look at the last number of each line above: when D trains on alone, V rises well above the noise of its estimate (about 0.01 a seed), with five steps a round as with one. So D is not at its optimum, the theorem's condition does not hold, and the theorem proves nothing about this GAN. It gave us a direction to look in; the measurement had to decide. All of it is about these narrow modes: set σ to 0.2 above and see what is left of the difference.
#
# And why did the saturating G not die, as section 3 threatened? You have measured that too: Adam does not care how small a gradient is.

# %% [markdown]
# ## 6 · A discriminator as a ruler
#
# A D-loss of log 4 may mean a perfect G, or a D that has learnt nothing; so losses do not say how far G is from the data. But section 2 makes a ruler of D. Freeze G, train a *fresh* D until it has learnt what it can, and estimate its V. Since V ≤ 2 JS − log 4, that is a lower bound for JS(p‖q): but for the noise of the estimate, no D can make p and q look further apart than they are.
#
# ### Exercise 1.7 · Measure a divergence
#
# Difficulty ●●●●○ · 20 minutes · why it matters: "how far from the data is G?" gets a number, from samples alone.
#
# Train the fresh D that you are given, for `steps` steps on fresh batches of about 256 points. Then estimate V on several thousand points that D has not been trained on, and turn it into JS. You have written both halves of it already. `draw_real(n)` and `draw_z(n)` give n fresh real points and latents.
#
# <details><summary>Hint 1</summary>
#
# Which of your functions makes one step of D, and which estimates V? Which equation of section 2 joins V and JS?
#
# </details>
# <details><summary>Hint 2</summary>
#
# A loop of `steps` times `step_d(G, D, optimiser, draw_real(256), draw_z(256))`. Then, under `torch.no_grad()`, the logits of 5,000 new real points and of 5,000 new fakes.
#
# </details>
# <details><summary>Hint 3</summary>
#
# V = 2 JS − log 4, solved for JS. log 4 is `math.log(4)`.
#
# </details>


# %%
def measure_js(G, D, optimiser, draw_real, draw_z, steps):
    """JS(p‖q) as a fresh D finds it, a number from 0 to log 2; G stays as it is."""
    # solution
    for _ in range(steps):
        step_d(G, D, optimiser, draw_real(256), draw_z(256))
    with torch.no_grad():
        v = value_from_logits(D(draw_real(5000)), D(G(draw_z(5000))))
    return float(v + math.log(4)) / 2
    # end solution


# %%
lesson_01.exercise_7(measure_js)

# %% [markdown]
# Now along the training of a GAN. *Predict: what does the ruler say of the untrained G? Will it still tell two G apart when both cover all eight modes? And what does the D of the training read, with the same formula?*

# %% slide="A fresh D measures how far G is from the data; the losses do not"
gan = toy.ToyGAN(target, seeds=[SEED])
steps = here.pick(ci=300, cpu=600, colab=600, full=3000)
looks = (0, 100, 300, 1000, 3000)
for rounds in here.pick(ci=looks[:3], cpu=looks, colab=looks, full=looks):
    gan.train(rounds - gan.g_steps)
    fresh = toy.Stack([SEED + 100], 2, 64, 64, 1)
    adam = torch.optim.Adam(fresh.parameters(), lr=5e-3, betas=(0.5, 0.999))
    distance = float(measure_js(gan.G, fresh, adam, gan.real, gan.latent, steps))
    own = (estimate_v(gan)[0] + math.log(4)) / 2
    modes = int(count_modes(gan.samples()[0], target.centres, 0.1))
    print(
        f"after {rounds:4d} rounds: JS by a fresh D {distance:.3f} (at most {math.log(2):.3f}), "
        f"by the D in training {own:.3f}; modes {modes}"
    )

# %% [markdown]
# The untrained G is at the end of the ruler, log 2: its samples and the data hardly overlap. Where the number of modes has reached eight, JS can still fall (in the recorded run it does), because it also charges for samples between the modes. And the D of the training, a beginner at first and later always a step behind, reads too little (below 0, it does worse than a coin). This is why the losses of a GAN do not tell how good it is.

# %% [markdown]
# ## What to remember
#
# 1. For a fixed G the best discriminator is D* = p/(p + q); its logit is the log density ratio, and it is trained only where samples fall.
# 2. At D*, the value is 2 JS(p‖q) − log 4: lowest, −log 4, exactly where p = q, and flat where p and q do not overlap.
# 3. The saturating push on a fake's logit is σ(l), the non-saturating one 1 − σ(l). Their ratio, $e^{-l}$, is above a thousand where l is below −7.
# 4. Near a D at its optimum the non-saturating G descends KL(q‖p) − 2 JS and seeks modes; the saturating one descends JS and spreads.
# 5. Near its solution a GAN rotates: simultaneous steps spiral out, alternating ones circle, a gradient penalty pulls inwards.
#
# ## Check yourself
#
# <details><summary>D is trained to perfection, and answers 0.8 at a point. What is p/q there? And the logit?</summary>
#
# D/(1 − D) = p/q = 0.8/0.2 = 4, and the logit is its logarithm, log 4 ≈ 1.386. Real data are four times as dense there as generated ones.
#
# </details>
#
# <details><summary>D's loss (binary cross-entropy, both halves added) settles at 1.386. Has the GAN converged?</summary>
#
# It may have: at p = q and D = ½ the loss is log 4 ≈ 1.386. But a D that has learnt nothing has the same loss, whatever G does. The number alone cannot tell an expert facing a perfect forger from a beginner. Train a fresh D, as in exercise 1.7: if its loss stays there too, p and q are hard to tell apart.
#
# </details>
#
# <details><summary>Why not simply train D to the optimum before every step of G?</summary>
#
# Because what G then descends is JS with the saturating objective, which is flat where p and q hardly overlap, or KL(q‖p) − 2 JS with the non-saturating one, which seeks modes. And it costs many steps of D. A D that lags behind is smoother than the optimum.
#
# </details>
#
# <details><summary>The losses of D and G go up and down with a fixed period and never settle. What would you look at first?</summary>
#
# That is rotation: complex eigenvalues near the solution. Check that the steps alternate, lower the rates, or add a gradient penalty on D (R1). Do not wait for the losses to fall: on a closed orbit they never do. Judge the samples instead.
#
# </details>
#
# <details><summary>Seven of eight modes are covered and 90 % of the samples are near a mode. A second GAN covers eight, with 75 %. Which is better?</summary>
#
# It depends on what you need, which is why this course always reports both a number for quality and one for coverage. For the theory, JS charges for both faults; KL(q‖p) charges mostly for the second GAN's.
#
# </details>
#
# ## Where to read on
#
# - Goodfellow, Pouget-Abadie, Mirza, Xu, Warde-Farley, Ozair, Courville, Bengio (2014), *Generative Adversarial Nets*, arXiv:1406.2661: the game, D*, the divergence, both objectives.
# - Arjovsky, Bottou (2017), *Towards Principled Methods for Training Generative Adversarial Networks*, arXiv:1701.04862: flat plateaus, and what the non-saturating objective descends.
# - Mescheder, Geiger, Nowozin (2018), *Which Training Methods for GANs do actually Converge?*, arXiv:1801.04406: the Dirac-GAN, eigenvalues, R1.
# - Metz, Poole, Pfau, Sohl-Dickstein (2017), *Unrolled Generative Adversarial Networks*, arXiv:1611.02163: the ring of Gaussians and mode dropping.
# - Kahng, Thorat, Chau, Viégas, Wattenberg (2018), *GAN Lab: Understanding Complex Deep Generative Models using Interactive Visual Experimentation*, arXiv:1809.01587: the same game to play in the browser.

# %% tags=["showed"]
ratio = rows[-1, 3].median()
print(
    f"trained D within {d_mean:.3f} of p/(p+q) on average; V at most {v_gap.max():.3f} below 2·JS − log 4; "
    f"gradient ratio {ratio:,.0f}; "
    f"Dirac growth {dirac_growth:.5f} ({math.sqrt(1 + 0.2**2 / 4):.5f} predicted); "
    f"with 5 D steps {ns_lost} of {len(seeds)} non-saturating and {sat_lost} saturating GANs lost a mode; "
    f"JS of the last GAN at least {distance:.3f}"
)
