# %% [markdown]
# # 08 · After DCGAN
#
# > After it you can ask a generator for a class, take DCGAN to the modern recipe, steer a style-based generator layer by layer, say what GANs are for in 2026, and train one on pictures of your own.
#
# {{badge}}
#
# **After this lesson you can**
#
# - ask a generator for a seven, and derive and write the discriminator that makes it obey,
# - measure whether it obeys, class by class, and recognise the way of doing it that does nothing,
# - say which parts of the modern recipe earned their place on a small budget, and which did not,
# - write a modulated convolution by hand, mix two styles, draw styles towards their mean, and say with numbers what that gives and costs,
# - compare W with Z by the measures of lesson 05 instead of by a pretty picture,
# - say where GANs are at work today, where something else replaced them, and show why in an experiment of minutes,
# - train on a few pictures of your own, and say honestly when they are too few.
#
# | | two CPU cores | Colab T4 |
# |---|---|---|
# | minutes to run it all | about 2.5 | not measured yet |
# | minutes to read and solve it | about 300, in three sittings | about 300, in three sittings |
#
# Read first: lesson 01 (the best discriminator), lesson 03 (DCGAN, the judge), lesson 05 (latent space), lesson 06 (penalties, the relativistic pair), lesson 07 (the numbers). A sitting each: sections 1 and 2 (classes), sections 3 to 5 (the modern recipe and styles), sections 6 and 7 (2026 and your own pictures). Begin each with the two cells below; only the very last cell looks back to another sitting.

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

import numpy as np
import torch
import torch.nn.functional as F

from gan_course import (
    augment,
    autoencoder,
    data,
    devices,
    judge,
    latent,
    metrics,
    networks,
    portraits,
    profiles,
    recipes,
    runs,
    sampling,
    show,
    studies,
    style,
    terminal,
    training,
    widgets,
)
from gan_course.checks import lesson_08
from gan_course.gan import GAN
from gan_course.modern import Residual

SEED = 0
here = profiles.current()
device = devices.default()
digits, unseen = data.load("mnist", device=device), data.load("mnist", split="test", device=device)
print(f"profile {here.name}: {here.about}; computing on {devices.name(device)}")
print(digits.source)

# %% [markdown]
# ## 1 · Ask for a seven
#
# Every generator so far made what it pleased. This one writes what you type: put your telephone number in.

# %% slide="A generator that writes what is typed"
widgets.number_writer("conditional-digits", "030 1234567")

# %% [markdown] slide="The class behind z adds a vector of its own to the first layer"
# *One hand* gives all digits the same z. Keep an eye on what stays the same then; section 2 measures it.
#
# What do we want? Not pictures from p(x), but from **p(x | y)** for the class y that somebody asks for. Both players have to know y: G, to draw it; D, because if it does not look whether the picture *is* a y, then any good picture will do, and G need not listen. Four questions, then: how does G hear y, how does D, does it work, and what happens if one of them is deaf?
#
# ### How G hears it
#
# Write the class as ten numbers, 1 at its own place and 0 elsewhere (one-hot), and put them behind z (Mirza and Osindero 2014). G's first layer is linear (a transposed convolution that meets 1 × 1 pixel is), so split its weights A into the columns that meet z and those that meet the class:
#
# $$A \begin{pmatrix} z \\ \mathrm{onehot}(y) \end{pmatrix} = A_z\, z + e_y, \qquad e_y = \text{column } y \text{ of } A_\text{class}.$$
#
# So each class adds a vector of its own to what the layer makes of z. Such a learned vector for a word, a user, a class is called an **embedding**. Nothing else of G changes, and a latent vector that carries its class goes everywhere a latent vector goes: sampling, averaging, publishing.
#
# ### Exercise 8.1 · The class behind z
# Difficulty ●○○○○ · 10 minutes · why it matters: "add an embedding" and "join a one-hot vector" are the same thing, and you can read the one out of the other.
#
# Two functions. `asked(z, labels, classes)` joins z [N, d] and labels (int64 [N], from 0) to [N, d + classes]. `embedding(weight, classes)` reads out of a first layer's weights [outputs, d + classes] what each class adds: [classes, outputs].
#
# <details><summary>Hint 1</summary>
#
# `F.one_hot(labels, classes)` makes whole numbers; `.to(z)` gives them z's type and device. `torch.cat([a, b], 1)` joins columns.
#
# </details>
# <details><summary>Hint 2</summary>
#
# The class stands behind z, so its weights are the last columns: `weight[:, -classes:]`. A row for each class is wanted.
#
# </details>

# %%
def asked(z, labels, classes):
    """z with the class behind it, one-hot, [N, d + classes]."""
    # solution
    return torch.cat([z, F.one_hot(labels, classes).to(z)], 1)
    # end solution


def embedding(weight, classes):
    """What each class adds to the first layer's outputs, [classes, outputs]."""
    # solution
    return weight[:, -classes:].T
    # end solution


# %%
lesson_08.exercise_1(asked, embedding)

# %% [markdown]
# With both, ask the published generator for ten of each.

# %% slide="Ten of each, asked for"
writer = runs.find("conditional-digits").generator(device)


def joined(z, labels):
    """What your `asked` makes of z and labels, as the generator takes it."""
    return torch.as_tensor(asked(z, labels, 10)).float().to(device)


dice = torch.Generator().manual_seed(SEED)
labels = torch.arange(10).repeat_interleave(10)
z = torch.randn(100, 100, generator=dice)
with torch.no_grad():
    pictures = writer(joined(z, labels))
show.grid(pictures, "Ten rows of ten generated digits: a row of zeros, one of ones, and so on to the nines.", columns=10)

# %% [markdown]
# And what has it learned about its classes? **Predict**: which two digits have the most similar embeddings?

# %% slide="Which digits are alike to the generator?"
first = writer.layers[1][0].weight.detach()  # a transposed convolution: [inputs, channels, 4, 4]
table = torch.as_tensor(embedding(first.flatten(1).T.cpu(), 10)).float()
alike = F.normalize(table - table.mean(0)) @ F.normalize(table - table.mean(0)).T
pairs = sorted(((alike[a, b].item(), a, b) for a in range(10) for b in range(a)), reverse=True)
print("most alike: " + ", ".join(f"{b} and {a} ({cosine:+.2f})" for cosine, a, b in pairs[:3]))
print("least alike: " + ", ".join(f"{b} and {a} ({cosine:+.2f})" for cosine, a, b in pairs[-3:]))
print(f"(cosines of the angle between the classes' embeddings, {table.shape[1]:,} numbers each, less their mean)")

# %% [markdown]
# ### How D hears it
#
# One could join the class to the picture, too: ten more channels, all 1 or all 0. Miyato and Koyama (2018) ask first what D *should* compute. Real pairs (x, y) come from p(x, y), generated ones from q(x, y). Lesson 01's best discriminator has the logit log p/q, now of the pair:
#
# $$\log\frac{p(x, y)}{q(x, y)} = \underbrace{\log\frac{p(x)}{q(x)}}_{\text{real at all?}} + \underbrace{\log\frac{p(y|x)}{q(y|x)}}_{\text{and of this class?}}$$

# %% [markdown] slide="D's best logit: real at all, and a scalar product for the class"
# The second part is about telling classes, and the usual way to tell them is softmax of a linear function of features φ(x): $\log p(y|x) = \langle v^p_y, \varphi(x)\rangle - \log Z^p(\varphi(x))$, and likewise for q with $v^q_y$. Subtract. What does not depend on y, the two Z and the first part, is left to a function ψ of φ(x); what does is one scalar product:
#
# $$\log\frac{p(x, y)}{q(x, y)} = \psi(\varphi(x)) + \langle V_y, \varphi(x)\rangle, \qquad V_y = v^p_y - v^q_y.$$
#
# So D needs no other layers than it has: φ is all of them but the last, ψ is the last, and one vector $V_y$ for each class is learned beside it. This is the **projection discriminator**. Its form is exact where softmax is; here is a world where it is: three classes, normal distributions of the same width, the generated ones standing a little off. With φ(x) = (x, 1) the formula must meet the true ratio everywhere.

# %%
# NBVAL_CHECK_OUTPUT
real_at = torch.tensor([[0.0, 2.0], [-2.0, -1.0], [2.0, -1.0]]).double()
fake_at = real_at + torch.tensor([[0.5, 0.0], [0.0, 0.3], [-0.4, 0.2]]).double()
x = torch.randn(1_000, 2, generator=torch.Generator().manual_seed(1)).double() * 2
phi = torch.cat([x, torch.ones(1_000, 1)], 1)
V = torch.cat([real_at - fake_at, (fake_at.square().sum(1) - real_at.square().sum(1))[:, None] / 2], 1)
ratio = ((x[:, None] - fake_at).square().sum(2) - (x[:, None] - real_at).square().sum(2)) / 2  # log p(x,y)/q(x,y) [N, 3]
print(f"largest difference, 3,000 pairs: {(ratio - phi @ V.T).abs().max():.6f}")

# %% [markdown]
# (All classes are equally frequent there and ψ comes out as 0. With frequencies that differ, the logarithm of their ratio is added to $V_y$'s last number.)
#
# ### Exercise 8.2 · The projection
# Difficulty ●●○○○ · 15 minutes · why it matters: a line of code, several ways to write it wrongly that train without a complaint, and then G does not listen.
#
# `phi` is [N, d], `labels` int64 [N], `w` [d] the last layer's weights (ψ(φ) = φ · w), `V` [classes, d]. Return the logits [N].
#
# <details><summary>Hint 1</summary>
#
# `V[labels]` [N, d] has each picture's own embedding in its row.
#
# </details>
# <details><summary>Hint 2</summary>
#
# A scalar product a picture: multiply entry by entry, then sum over the features, `.sum(1)`.
#
# </details>

# %%
def projection(phi, labels, w, V):
    """One logit a picture: real, and of its class?"""
    # solution
    return phi @ w + (V[labels] * phi).sum(1)
    # end solution


# %%
lesson_08.exercise_2(projection)

# %% [markdown]
# The package's `networks.Projection` is this, around any discriminator of the course. Yours must agree with it:

# %%
recipe = recipes.get("conditional-digits").at(here)
gan = GAN(recipe, SEED, device)
few, classes = data.to_signed(digits.images[:8]), digits.labels[:8]
D = gan.D.eval()
with torch.no_grad():
    own = projection(D.features(few), classes, D.layers[-1].weight.flatten(), D.embedding.weight)
    logits = D(few, classes)
    difference, size = (own - logits).abs().max().item(), logits.abs().max().item()
gan.D.train()
print(f"largest difference to the package's D on {len(few)} digits: {difference:.1e}, of logits up to {size:.1e}")
print(f"D has {networks.count_parameters(D):,} numbers to learn, {D.embedding.weight.numel():,} of them for the classes")

# %% [markdown]
# What does it cost? **Predict** from the layers, at the published width: G's first layer makes 128 channels of 4 × 4 pixels from each number of z; D's last layer decides from 64 channels of 3 × 3.

# %%
# NBVAL_CHECK_OUTPUT
for name in ("quick-digits", "conditional-digits"):
    counts = [networks.count_parameters(network) for network in recipes.get(name).build()]
    print(f"{name}: G {counts[0]:,}, D {counts[1]:,}")
print(f"by hand: G {10 * 128 * 4 * 4:,} more, D {10 * 64 * 3 * 3:,} more")

# %% [markdown]
# ### Both in training
#
# The loop hardly changes. A batch brings its labels, and **the same labels are G's task**: as many fakes of each class as real ones. So D, in both of its looks, is asked about the same classes, and can gain nothing from how frequent they are. Train for a moment:

# %%
until = here.pick(ci=40, cpu=700, colab=4_000, full=18_750)
for _ in training.train(gan, digits.images, until, labels=digits.labels, progress=here.name != "ci"):
    pass
drawn = sampling.sample(gan.average, 100, seed=SEED, labels=labels)
show.grid(drawn, f"A hundred digits of the run just trained, {gan.images:,} images: row by row asked for 0, 1, … 9.", columns=10)

# %% [markdown]
# **Does it obey?** Ask for each class many times, show the pictures to the judge (which never saw the labels that were asked for), and count. Call the share that it calls by the class asked for the **alignment**. Beside it stands how often the judge is right about real digits. (That is no ceiling: a generator may write more legibly than people do.)

# %% slide="Does it obey? Ask, and count"
digit_judge = judge.load("mnist", device)
EACH = here.pick(ci=20, cpu=200, colab=500, full=1_000)


def obeyed(generator, expert=digit_judge):
    """Of EACH pictures of every class, how many the judge calls by it, [10]."""
    asked_for = torch.arange(10).repeat_interleave(EACH)
    images = sampling.sample(generator, 10 * EACH, seed=1, labels=asked_for)
    named = judge.look(expert, images)[1].argmax(1)
    return (named == asked_for).view(10, EACH).sum(1)


counts = {"published": obeyed(writer), "just trained": obeyed(gan.average)}
of_real = [(judge.look(digit_judge, unseen.images[unseen.labels == y])[1].argmax(1) == y).float().mean().item() for y in range(10)]
rows = [("asked for", *counts, "judge, on real ones")]
rows += [(str(y), *(f"{c[y]} of {EACH}" for c in counts.values()), f"{of_real[y]:.0%}") for y in range(10)]
rows.append(("all", *(f"{c.sum() / (10 * EACH):.1%}" for c in counts.values()), f"{judge.accuracy(digit_judge, unseen):.1%}"))
print(terminal.aligned(rows, numbers=True))
worst = int(counts["published"].argmin())
least = f"obeys least at {worst}: {counts['published'][worst]} of {EACH}"
print("\nthe published run " + (least if counts["published"][worst] < EACH else "obeyed every time"))

# %% [markdown]
# Nothing in it is about digits. The same recipe on clothes, `conditional-clothes`, a row a class:

# %%
tailor, clothes_judge = runs.find("conditional-clothes").generator(device), judge.load("fashion-mnist", device)
sewn = obeyed(tailor, clothes_judge)
worn = ", ".join(f"{name} {count / EACH:.0%}" for name, count in zip(clothes_judge.names, sewn))
print(f"called by the class asked for: {worn}")
show.grid(
    sampling.sample(tailor, 100, seed=SEED, labels=labels),
    f"A hundred generated clothes, ten of each class, row by row: {', '.join(clothes_judge.names)}.",
    columns=10,
)

# %% [markdown]
# Where the share is low, look whether the pictures are wrong or the class is one that even the real pictures share with others (a shirt, a pullover, a coat).
#
# Alignment is a number that a careless reader takes for more than it is: a generator that draws *one* perfect seven again and again is perfectly aligned, and a judge is sure of many things that are no digit. So alignment stands beside the Fréchet distance, never alone.
#
# ### What the wrong way does
#
# Four arms, several seeds, equal images, a small width (`python -m gan_course study conditional` repeats it): no classes at all; projection; the class as ten more channels of D's picture (*planes*); and a D that is **not told**, while G still gets its one-hot numbers. **Predict** the last one's alignment before you look. And does knowing the class make the pictures better, or is it one more burden?

# %%
study = studies.get("conditional")
results = studies.read(study, studies.published(study))
print(f"{study.images:,} images a run\n")
for name in ("aligned", "distance", "missing"):
    print(studies.summary(study, results, name), "\n")

# %% slide="Would the telemetry have shown that D was not told?"
aligned, distance = (studies.by_arm(results, name) for name in ("aligned", "distance"))
not_told = np.median(list(aligned["D is not told"].values()))
print(f"D not told: alignment {not_told:.0%}, where guessing gives 10 %")
for arm in ("projection", "planes", "D is not told"):
    mean, low, high = studies.difference(distance[arm], distance["unconditional"])
    verdict = "nearer to real digits" if high < 0 else "farther off" if low > 0 else "no difference that these seeds show"
    print(f"{arm}: Fréchet distance {mean:+.1f} [{low:+.1f}, {high:+.1f}] against unconditional: {verdict}")
mean, low, high = studies.difference(aligned["projection"], aligned["planes"])
which = "projection obeys better" if low > 0 else "planes obey better" if high < 0 else "these seeds do not part them"
print(f"projection against planes, alignment {mean:+.3f} [{low:+.3f}, {high:+.3f}]: {which}\n")
print("medians of the last tenth's telemetry:")
for arm in ("unconditional", "D is not told"):
    said = {name: np.median(list(studies.by_arm(results, name)[arm].values())) for name in ("d_real", "d_fake", "loss_d", "loss_g")}
    print(f"{arm}: D(x) {said['d_real']:.2f}, D(G(z)) {said['d_fake']:.2f}, loss of D {said['loss_d']:.2f}, of G {said['loss_g']:.2f}")

# %% [markdown]
# Compare the last two lines: would you have noticed the deaf run by its telemetry? You find it by asking and counting. (Labels that were not shuffled together with the images are the other way to deafness; `labels=digits.labels[torch.randperm(len(digits.labels))]` in the loop above makes you one.) It may even pay for its deafness: ten of G's inputs say something that nobody rewards.
#
# Look at the distances, too. A label is information about the picture that somebody paid for; a D that knows it compares sevens with sevens. The interval beside it says whether that was worth something here. (With a few seeds an interval is a rough one, and this is a short run at a small width; whether it still holds after a long one is another question.)
#
# ## 2 · Optional: the same z, all classes
#
# If y says *what*, does z say *how*? Each row below has one z, each column one class.

# %% slide="One z, ten classes: does the hand stay?"
dice = torch.Generator().manual_seed(SEED + 1)
six = torch.randn(6, 100, generator=dice)
with torch.no_grad():
    sheet = writer(joined(six.repeat_interleave(10, 0), torch.arange(10).repeat(6)))
show.grid(sheet, "Six rows of digits 0 to 9, each row from one z.", columns=10)

# %% [markdown]
# Two things of a hand can be counted: **ink**, the mean grey level, and **slant**, how far the strokes lean (the regression of a pixel's column on its row, weighted with its grey level). If z is the hand, then a z that gives a fat leaning 3 should give a fat leaning 8: the numbers of two classes, over many z, should be correlated. With independent z the correlation is 0.

# %%
def hand(images):
    """Ink and slant of pictures [N, 1, 28, 28] in [-1, 1], [N, 2]."""
    weight = (images[:, 0].double() + 1) / 2
    rows, columns = torch.meshgrid(torch.arange(28.0, device=images.device), torch.arange(28.0, device=images.device), indexing="ij")
    total = weight.sum((1, 2))
    r = rows - (weight * rows).sum((1, 2), keepdim=True) / total[:, None, None]
    c = columns - (weight * columns).sum((1, 2), keepdim=True) / total[:, None, None]
    return torch.stack([weight.mean((1, 2)), -(weight * r * c).sum((1, 2)) / (weight * r * r).sum((1, 2))], 1)


many = here.pick(ci=50, cpu=300, colab=1_000, full=2_000)
zs = torch.randn(many, 100, generator=dice)
with torch.no_grad():
    hands = torch.stack([hand(writer(joined(zs, torch.full((many,), y)))) for y in range(10)]).cpu()  # [10, many, 2]
for k, what in enumerate(("ink", "slant")):
    same = np.corrcoef(hands[:, :, k].numpy())[np.triu_indices(10, 1)]
    print(f"{what}: correlation of two classes over {many} shared z: median {np.median(same):+.2f}, from {same.min():+.2f} to {same.max():+.2f}")

# %% [markdown]
# Nobody asked for that: D never sees two pictures of one z. But all classes share G's layers, and only the first one knows which is asked for; a hand that is drawn for all of them is probably the cheapest thing to learn.
#
# And **between** classes? G takes ten numbers; nothing forbids 0.5 of a 3 and 0.5 of an 8. No training step ever showed it such a thing.

# %%
def between(z, a, b, t):
    """z with (1 - t) of class a and t of class b behind it."""
    ends = [joined(z, torch.full((len(z),), y)) for y in (a, b)]
    return torch.lerp(*ends, t)


with torch.no_grad():
    walks = torch.cat(
        [
            writer(torch.cat([between(one[None], a, b, t / 8) for t in range(9)]))
            for one, (a, b) in zip(six, [(3, 8), (1, 7), (4, 9), (0, 6)])
        ]
    )
show.grid(walks, "Four rows of nine pictures: from a 3 to an 8, a 1 to a 7, a 4 to a 9, a 0 to a 6, in equal steps of the class.", columns=9)

# %%
with torch.no_grad():
    for t in (0.0, 0.25, 0.5, 0.75, 1.0):
        seen = judge.look(digit_judge, data.to_uint8(writer(between(zs, 3, 8, t))).cpu())[1].softmax(1)
        sure = (seen.max(1).values > 0.9).float().mean()
        print(f"t = {t:.2f}: a 3 in {(seen.argmax(1) == 3).float().mean():4.0%}, an 8 in {(seen.argmax(1) == 8).float().mean():4.0%}; the judge is sure of {sure:4.0%}")

# %% [markdown]
# ## 3 · What ten years changed
#
# DCGAN is from 2015. In 2024 Huang and others asked which of a decade's tricks are needed, took StyleGAN2 (section 4) apart until next to nothing was left, and built up again. What they kept (their R3GAN) is short:
#
# - **the loss**: the relativistic pair of lesson 06, where D ranks a real picture above the generated one beside it,
# - **the penalty**: R1 *and* R2, on D's slope at real and at generated pictures,
# - **the networks**: no BatchNorm; residual branches; sizes changed by bilinear interpolation (new pixels on straight lines between the old), and convolutions of 3 × 3 that leave the size alone,
# - **the optimiser**: Adam without momentum for a start (betas 0 and 0.99).
#
# On faces of 256 px their numbers (FID, a single run each) went: StyleGAN2 7.52; stripped 12.46; with the relativistic pair 11.77; with R2 beside R1 11.65; with modern networks 7.05. So there the networks gave most. They trained for days on several GPUs. What of it holds on one core within a minute, where a step's price counts as much as its worth?
#
# **Predict** before you look: five recipes on clothes, each the one before plus one change, all with the same seconds of one core. At each of the four changes, does the distance fall, does it rise, or will five seeds not tell?

# %% slide="From DCGAN to the modern recipe, after the same time"
ladder = studies.get("ladder")
climbed = studies.read(ladder, studies.published(ladder))
print(f"{ladder.about} {ladder.seconds:.0f} s a run, of {len(climbed)} runs")
print(studies.summary(ladder, climbed))
distance = studies.by_arm(climbed, "distance")
for before, arm in itertools.pairwise(ladder.arms):
    mean, low, high = studies.difference(distance[arm], distance[before])
    verdict = "it falls" if high < 0 else "it rises" if low > 0 else "these seeds do not tell"
    print(f"{arm}: {mean:+.1f} [{low:+.1f}, {high:+.1f}] against the row above: {verdict}")
seen = {arm: [r.evidence["images"] for r in climbed if r.arm == arm] for arm in ladder.arms}
print("images in that time: " + "; ".join(f"{arm} {sum(n) / len(n):,.0f}" for arm, n in seen.items() if n))

# %%
for measure in ("precision", "recall"):
    print(studies.summary(ladder, climbed, measure), end="\n\n")

# %% [markdown]
# Read a row against the first: where the interval leaves 0 out, the seeds agree that it differs from DCGAN *after the same time*: below 0 is better for the distance, worse for precision and recall. Where it holds 0, these runs do not tell. The lines below it are the four changes, each against the recipe before it; and the last line says why most cost something: a change that costs images has to make up for them first.
#
# Is the modern recipe good or bad, then? The table says what it is worth here, in less than a minute of one core on small grey pictures, with rates that nobody tuned for it. (One number was tuned, on the first seed: the weight of the penalty. With 1 in place of 0.05 the third recipe stood at 45 and the fourth at 49 on that seed; now they stand there at 39 and 50. Did the tuning pay for both?) The paper's claim is about training that goes on. The two do not contradict each other: they are about different budgets.
#
# ### 1,000 modes, two losses, two penalties
#
# Their second claim can be tested exactly. *Stacked MNIST* lays three random digits over each other as red, green and blue: 1,000 kinds of pictures, equally frequent, and a judge of digits reads off which. They report (one run each): relativistic with R1 and R2 found 1,000 kinds; the old loss (non-saturating) with both 693; with R1 alone, both losses diverged.

# %% slide="A thousand modes: two losses, two penalties"
stacked = studies.get("stacked-digits")
counted = studies.read(stacked, studies.published(stacked))
print(f"{stacked.about} {stacked.images:,} images a run, quarter width, {len(counted)} runs")
print(studies.summary(stacked, counted, "modes"))
modes = studies.by_arm(counted, "modes")
both = [arm for arm in stacked.arms if "r2" in arm]
mean, low, high = studies.difference(modes[both[1]], modes[both[0]])
print(f"{both[1]} minus {both[0]}: {mean:+.0f} modes [{low:+.0f}, {high:+.0f}]")

# %%
for measure in ("kl", "diverged"):
    print(studies.summary(stacked, counted, measure), end="\n\n")

# %% [markdown]
# KL is how far the shares of the 1,000 are from equal ones: with 26,000 pictures drawn evenly it would be about 999 / 52,000 = 0.02, so no run can be expected below that. Hold the four rows, and the line below them, against the paper's sentence: which *order* returns, and which does not? ("Three seeds do not tell" is an answer, too.) Its networks were larger and its runs longer; theirs and ours were not made by one protocol, and only rows of one table may be compared.
#
# ### Nothing is normalised
#
# What did BatchNorm do that a network without it has to do otherwise? It kept the signal's size. Look at one residual block, x + branch(x). Let x have variance 1, and the branch's output a variance of `share` times that of what it is given, independent of x. Then blocks in a row multiply.
#
# ### Exercise 8.3 · Predict the variance
# Difficulty ●●○○○ · 10 minutes · why it matters: one line decides whether a deep network without normalisation trains at all.
#
# Variance 1 goes in. What comes out after `blocks` such blocks?
#
# <details><summary>Hint 1</summary>
#
# Variances of independent numbers add up. After one block: 1 + share.
#
# </details>
# <details><summary>Hint 2</summary>
#
# The second block is given 1 + share, and its branch makes `share` times that.
#
# </details>


# %%
def grown(blocks, share):
    """The variance after residual blocks whose branches have `share` of their input's variance, from 1."""
    # solution
    return (1 + share) ** blocks
    # end solution


# %%
lesson_08.exercise_3(grown)

# %% [markdown]
# Now one change of the recipe: the package's residual branches begin as 0 (their second convolution's first weights are 0, *Fixup*, Zhang and others 2019). Give them *He's weights* instead (normal, with a variance that lets a layer behind a ReLU keep its signal's size), as if nobody had thought of it. What share does one block show?


# %%
def tower(blocks, gain):
    """Residual blocks of 32 channels whose branches end in weights of that gain, and what one random input becomes."""
    network = torch.nn.Sequential(*[Residual(32, 1) for _ in range(blocks)])
    for block in network:
        block.second.gain = gain
    networks.initialise(network, "he", torch.Generator().manual_seed(SEED))
    x = torch.randn(8, 32, 16, 16, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        return (network(x).var() / x.var()).item()


share = tower(1, 1.0) - 1
print(f"one block's branch adds {share:.2f} of the variance")

# %% [markdown]
# **Predict** from it the factor for 4, 8 and 16 blocks, then run.

# %%
print("blocks   as Fixup begins   He's weights: measured   predicted by yours   share that would fit")
for blocks in (4, 8, 16):
    measured = tower(blocks, 1.0)
    print(f"{blocks:6}{tower(blocks, 0.0):18.2f}{measured:25.1f}{float(grown(blocks, share)):21.1f}", end="")
    print(f"{measured ** (1 / blocks) - 1:25.2f}")

# %% [markdown]
# The prediction is as good as its assumption, that every block has the first one's share. (It has not: the last column is the share that would fit, and a small error in it is made as often as there are blocks.) With Fixup an untrained network of any depth hands on what it is given, and every branch grows from 0 as the loss asks for it. BatchNorm had done it by force, and made D's verdict on a picture depend on its neighbours in the batch: lesson 06 showed why R1 and R2 cannot live with that.
#
# ## 4 · A generator steered layer by layer
#
# A DCGAN is told z once, at the bottom; all that happens above has to be carried up through every layer. Karras and others (2019) turned it around. The picture grows out of a **constant**, the same for all, and z is told to *every* layer:
#
# 1. **Mapping.** A small network turns z into a style w, in a space W that nobody forces to be a ball. Its weights learn a hundred times more slowly than the rest. (An early run here had left that out: after 104,000 images its recall was 0.01 and its Fréchet distance 11.1; with it, after 107,000, they are 0.29 and 4.8. One seed each, 2,500 pictures.)
# 2. **Modulation.** In each layer a linear layer of its own makes of w one number for each input channel, and the channel is multiplied by it.
# 3. **Noise.** Each layer gets a random picture of its own for what is mere chance (strands of hair), so that z need not hold it.
# 4. **To-RGB skips** (Karras and others 2020). Every size shows its own picture, and the pictures are added up.
#
# `gan_course/style.py` holds all of it in some 200 lines. D is a DCGAN's with biases in place of BatchNorm, and pays R1. `style-faces-64` is trained on drawn faces, and here is what it makes.

# %% slide="A generator that is told z in every layer"
RUN = "style-faces-64"
run = runs.find(RUN)
G = run.generator(device)
print(f"{RUN}: {networks.count_parameters(run.recipe.build()[0]):,} numbers, {run.card['images']:,} images seen")
show.grid(sampling.sample(G, 32, seed=4), "32 drawn faces by the style-based generator.", columns=8)

# %% [markdown]
# The sum of the skips, from 4 px to 64 px: what does each size add?


# %% slide="The picture grows by skips, from 4 to 64 pixels"
@torch.no_grad()
def by_size(w):
    """What each size shows, added up from the coarsest: a list of [N, 3, size, size]."""
    x, image, shown = G.start.expand(len(w), -1, -1, -1), G.colour, []
    for i, conv in enumerate(G.convs):
        x = conv(x, w)
        if i % 2 == 0:
            image = G.to_rgb[i // 2](x, w) + (style.twice(image) if i else image)
            shown.append(image)
    return shown


w = G.mapping(latent.draw(6, G.latent_dim, seed=5).to(device))
steps = by_size(w)
assert torch.allclose(steps[-1], G.synthesis(w))
large = [data.to_uint8(F.interpolate(image, 64)) for image in steps]
show.grid(torch.cat(large), "Six faces, one a column; from top to bottom the sum of the skips up to 4, 8, 16, 32 and 64 pixels.", columns=6)

# %% [markdown]
# ### Modulation, and what goes wrong with it
#
# Convolution weights are $k_{oirs}$: output channel o, input channel i, pixel r, s of the kernel. A style has one number $s_i$ for each input channel. **Modulate**: $k'_{oirs} = s_i\, k_{oirs}$. That alone lets a style make a channel ten times as loud, and the next layers with it. **Demodulate**: divide each output channel's weights by their length,
#
# $$k''_{oirs} = k'_{oirs} \Big/ \sqrt{\textstyle\sum_{i,r,s} k'^{\,2}_{oirs} + \varepsilon},$$
#
# so that independent inputs of variance 1 give outputs of variance 1, whatever the style. It changes how channels are *mixed*, not how loud the result is.
#
# ### Exercise 8.4 · A modulated convolution by hand
# Difficulty ●●●○○ · 20 minutes · why it matters: it is the one new layer of StyleGAN2, and each image of a batch has weights of its own.
#
# `x` is [N, in, H, W], `weight` [out, in, 3, 3], `styles` [N, in]. Return [N, out, H, W]; a padding of 1 keeps the size, ε is 1e-8. A loop over the images is fine.
#
# <details><summary>Hint 1</summary>
#
# The style of image n is `styles[n]`, [in]. Which shape must it get to be multiplied with `weight` [out, in, 3, 3] along the second axis?
#
# </details>
# <details><summary>Hint 2</summary>
#
# `own = weight * styles[n][:, None, None]`, then a length for each output channel: the square root of `own.square().sum((1, 2, 3), keepdim=True) + 1e-8`.
#
# </details>
# <details><summary>Hint 3</summary>
#
# `F.conv2d(x[n : n + 1], own / length, padding=1)` is one image's output; `torch.cat` puts them together.
#
# </details>


# %%
def styled(x, weight, styles):
    """A convolution whose weights each image's style modulates, demodulated, [N, out, H, W]."""
    # solution
    made = []
    for image, its_style in zip(x, styles):
        own = weight * its_style[:, None, None]
        length = (own.square().sum((1, 2, 3), keepdim=True) + 1e-8).sqrt()
        made.append(F.conv2d(image[None], own / length, padding=1))
    return torch.cat(made)
    # end solution


# %%
lesson_08.exercise_4(styled)

# %% [markdown]
# The package gets the same from *one* convolution, because a convolution is linear: it multiplies the input's channels by the style, convolves with the shared weights, and divides by the lengths afterwards. And what does demodulation prevent? Make all styles ten times as large. (Its 0.9 is not quite 1: at the border of so small a picture a part of the kernel meets zeros.)

# %%
# NBVAL_CHECK_OUTPUT
dice = torch.Generator().manual_seed(SEED)
x, weight = torch.randn(4, 16, 8, 8, generator=dice), torch.randn(16, 16, 3, 3, generator=dice) / 12
styles = 1 + torch.randn(4, 16, generator=dice) / 2
for factor in (1, 10):
    loud = style.modulated_conv(x, weight, factor * styles, demodulated=False)
    calm = style.modulated_conv(x, weight, factor * styles)
    print(f"styles × {factor:2}: standard deviation {loud.std():5.1f} without, {calm.std():4.1f} with demodulation")
same = torch.allclose(style.modulated_conv(x, weight, styles), torch.as_tensor(styled(x, weight, styles)).float(), atol=1e-4)
print(f"the package's one convolution and your own weights for each image agree: {same}")

# %% [markdown]
# ### What the noise is for
#
# One w, many draws of noise: whatever differs between the pictures is what this generator leaves to chance. In evaluation the package holds the noise still, so that a latent has one picture. Where does it matter, and how much, in grey levels of 255?

# %%
with torch.no_grad():
    one = G.mapping(latent.draw(1, G.latent_dim, seed=6).to(device)).expand(here.pick(ci=16, cpu=64, colab=64, full=64), -1)
    G.train()  # noise drawn anew for every image; nothing else in this generator knows the two modes
    with torch.random.fork_rng([device] if device.type == "cuda" else []):
        torch.manual_seed(SEED)
        many = G.synthesis(one)
    G.eval()
    spread = 127.5 * many.std(0).mean(0)
    other = 127.5 * G(latent.draw(64, G.latent_dim, seed=7).to(device)).std(0).mean()
print(f"spread by noise alone: {spread.mean():.2f} grey levels on average, {spread.max():.1f} where most; by z: {other:.0f}")
strengths = [abs(0.1 * conv.noise.strength.item()) for conv in G.convs]
print("strength of the noise by layer, coarse to fine: " + ", ".join(f"{s:.4f}" for s in strengths))

# %% [markdown]
# Photographs of hair need chance. Drawn faces are painted by rules, and the numbers say how much noise this generator found a use for.
#
# ## 5 · W against Z
#
# The promise of W: z has to be a ball, because we draw it so, and if the data has a hole (nobody is bald with long hair) the ball must be bent to leave it out; w may have whatever shape it likes, so directions in it could be straighter. Promises are for measuring, and lesson 05 has the tools. The judge of drawn faces names attributes in a picture.

# %%
face_judge = judge.load("drawn-faces", device)
features = torch.nn.Sequential(*list(face_judge)[:-1])  # all but the last layer
N = here.pick(ci=500, cpu=3_000, colab=6_000, full=10_000)
z_all = latent.draw(N, G.latent_dim, seed=10)
BLOCK = 250


@torch.no_grad()
def made(vectors, space):
    """Pictures uint8 of vectors [n, latent_dim] in space "z" or "w"."""
    parts = [(G if space == "z" else G.synthesis)(part.to(device)) for part in vectors.split(BLOCK)]
    return torch.cat([data.to_uint8(part).cpu() for part in parts])


def marked(images):
    """Whose picture has each of the judge's attributes, bool [n, attributes]."""
    return judge.look(face_judge, images)[1] > 0


with torch.no_grad():
    w_all = torch.cat([G.mapping(part.to(device)).cpu() for part in z_all.split(BLOCK)])
spaces = {"z": z_all, "w": w_all}
has = marked(made(z_all, "z"))
share_of = has.float().mean(0)
usable = [i for i in range(len(face_judge.names)) if 0.05 < share_of[i] < 0.95]
print(f"{len(usable)} of {len(face_judge.names)} attributes are seen on 5 to 95 % of {N:,} generated faces")

# %% [markdown]
# **1. Linear separability.** If an attribute is a direction, a plane should part the vectors with it from those without. Fit one by least squares on two thirds, ask it about the rest, and compare with always giving the commoner answer.

# %%
def with_error(values):
    """A mean and 1.96 standard errors to either side, in words."""
    values = torch.as_tensor(values, dtype=torch.float64)
    return f"mean {values.mean():+.2f} ± {1.96 * values.std() / len(values) ** 0.5:.2f}"


def separated(x, target):
    """How often a plane fitted to two thirds is right on the rest, and the commoner answer."""
    x = torch.cat([x, torch.ones(len(x), 1)], 1).double()
    cut = 2 * len(x) // 3
    ridge = 1e-3 * cut * torch.eye(x.shape[1], dtype=torch.float64)
    signs = 2 * target.double() - 1
    plane = torch.linalg.solve(x[:cut].T @ x[:cut] + ridge, x[:cut].T @ signs[:cut])
    return ((x[cut:] @ plane > 0) == target[cut:]).float().mean().item()


standard = {name: (x - x.mean(0)) / x.std(0) for name, x in spaces.items()}
parted = {name: torch.tensor([separated(x, has[:, i]) for i in usable]) for name, x in standard.items()}
common = torch.tensor([max(share_of[i], 1 - share_of[i]) for i in usable])
for name, right in parted.items():
    print(f"{name}: a plane is right on {right.mean():.1%} of unseen faces (commoner answer {common.mean():.1%})")
gap = parted["w"] - parted["z"]
print(f"w minus z, by attribute: {with_error(100 * gap)} points, {int((gap > 0).sum())} of {len(gap)} above 0")

# %% [markdown]
# **2. Attributes moved and left alone.** As in lesson 05: a direction is the difference of means; move *other* latents along it; the attribute's own share should rise, all the others should stay. A step must be as long in W as in Z, though the two have other sizes: so each is measured in standard deviations of its own space along that direction.

# %% slide="W against Z: what moves along with an attribute?"
M = here.pick(ci=60, cpu=500, colab=1_000, full=2_000)
picked = sorted(usable, key=lambda i: (share_of[i] - 0.5).abs().item())[: here.pick(ci=3, cpu=6, colab=8, full=10)]
others_z = latent.draw(M, G.latent_dim, seed=11)
with torch.no_grad():
    others = {"z": others_z, "w": G.mapping(others_z.to(device)).cpu()}
before = marked(made(others_z, "z")).float().mean(0)


def moved(space, d, sigmas=3.0):
    """By how much the share of each attribute changes when the others move along d, [attributes]."""
    d = d / d.norm()
    d = d * (spaces[space] @ d).std() * sigmas
    return marked(made(others[space] + d, space)).float().mean(0) - before


print(f"3 standard deviations along an attribute's direction, in points; {M:,} faces")
print(f"{'':22}{'its own':>16}{'mean |others|':>20}{'their ratio':>16}")
ratio = {"z": [], "w": []}
for i in picked:
    row = {}
    for space, x in spaces.items():
        change = moved(space, latent.attribute_direction(x, has[:, i]))
        rest = [j for j in usable if j != i]
        row[space] = 100 * change[i].item(), 100 * change[rest].abs().mean().item()
        ratio[space].append(row[space][0] / max(row[space][1], 0.1))
    (a, b), (c, d) = row["z"], row["w"]
    print(f"{face_judge.names[i]:22}{a:+6.0f} z {c:+5.0f} w{b:10.1f} z {d:5.1f} w{ratio['z'][-1]:8.1f} z {ratio['w'][-1]:4.1f} w")
higher = sum(w > z for z, w in zip(ratio["z"], ratio["w"]))
means = (f"{space} {np.mean(values):.1f}" for space, values in ratio.items())
print(f"mean ratio: {', '.join(means)}; higher in w for {higher} of {len(picked)} attributes")
print(f"w minus z: {with_error([w - z for z, w in zip(ratio['z'], ratio['w'])])}")

# %% [markdown]
# **3. Agreement.** Does one direction do the same to different faces? The mean cosine between the changes of two faces (lesson 05), for directions at random, 2 standard deviations each way.


# %%
def agreement(change):
    """Mean cosine between the changes of two different pictures."""
    unit = F.normalize(change.flatten(1), dim=1)
    cosines = unit @ unit.T
    return cosines[~torch.eye(len(unit), dtype=torch.bool)].mean().item()


def changes(space, d, reach=2.0, n=12):
    """What a direction changes on n faces, float [n, C, H, W]."""
    d = d / d.norm()
    d = d * (spaces[space] @ d).std() * reach
    return made(others[space][:n] + d, space).float() - made(others[space][:n] - d, space).float()


dice = torch.Generator().manual_seed(13)
tried = {space: [] for space in spaces}
for _ in range(here.pick(ci=4, cpu=20, colab=30, full=50)):
    for space, x in spaces.items():
        d = torch.randn(x.shape[1], generator=dice) * (1 if space == "z" else x.std(0))
        tried[space].append(agreement(changes(space, d)))
for space, values in tried.items():
    values = torch.tensor(values)
    print(f"{space}: agreement of random directions {with_error(values)}, from {values.min():.2f} to {values.max():.2f}")

# %% [markdown]
# **4. Path length.** Walk from one face to another. If the space is even, equal steps change the picture equally. Karras and others measure a tiny step ε anywhere on the way, in a classifier's features, squared and over ε² (*perceptual path length*); shorter is smoother. In Z the way is the arc, in W the straight line.


# %%
def path_length(space, n, epsilon=0.02):
    """Mean squared change of the judge's features over a step, over ε², and its standard error."""
    ends = [latent.draw(n, G.latent_dim, seed=s) for s in (14, 15)]
    t = torch.rand(n, 1, generator=torch.Generator().manual_seed(16)) * (1 - epsilon)
    if space == "w":
        with torch.no_grad():
            ends = [G.mapping(end.to(device)).cpu() for end in ends]
    seen = []
    for at in (t, t + epsilon):
        if space == "w":
            there = torch.lerp(*ends, at)
        else:
            there = torch.cat([latent.slerp(a, b, s) for a, b, s in zip(*ends, at)])
        with torch.no_grad():
            draw = G.synthesis if space == "w" else G
            images = torch.cat([draw(part.to(device)) for part in there.split(BLOCK)])
            seen.append(torch.cat([features(part) for part in images.split(BLOCK)]))  # no rounding to grey levels
    squares = (seen[1] - seen[0]).square().sum(1) / epsilon**2
    return squares.mean().item(), squares.std().item() / n**0.5


for space in spaces:
    length, error = path_length(space, here.pick(ci=100, cpu=1_000, colab=2_000, full=5_000))
    print(f"{space}: path length {length:.0f} ± {1.96 * error:.0f}")

# %% [markdown]
# Four measures, one generator. Count for how many of them W did better *by more than the ± beside it*, and say what you would need before you wrote "W is disentangled" in a report. (Another training of the same recipe, for one.)
#
# ### Two faces, one picture
#
# Each layer has a style of its own, and nobody says that all have to come from one w. Give the coarse layers the style of one face and the rest that of another. In training, half of the batches did so (*style mixing*), so that a layer cannot count on its neighbours.
#
# ### Exercise 8.5 · Mixing
# Difficulty ●●○○○ · 15 minutes · why it matters: it shows which layer decides what.
#
# `coarse` is [A, latent_dim], `fine` [B, latent_dim], both z. Return [A, B, C, H, W]: picture [a, b] has the style of `coarse[a]` in the first `first` layers and that of `fine[b]` in the others. `G.mapping(z)` gives styles; `G.synthesis` takes a list of `G.layers` styles [N, latent_dim], coarsest first.
#
# <details><summary>Hint 1</summary>
#
# For one pair: `[one] * first + [other] * (G.layers - first)` is the list.
#
# </details>
# <details><summary>Hint 2</summary>
#
# For all pairs at once: `w.repeat_interleave(B, 0)` says each row B times in a row, `w.repeat(A, 1)` says all rows A times over. Which is for the coarse ones? At the end, `view(A, B, …)`.
#
# </details>


# %%
def mixed(G, coarse, fine, first):
    """Faces styled by `coarse` in the first layers and by `fine` in the rest, [A, B, C, H, W]."""
    # solution
    a, b = G.mapping(coarse), G.mapping(fine)
    a, b = a.repeat_interleave(len(fine), 0), b.repeat(len(coarse), 1)
    images = G.synthesis([a] * first + [b] * (G.layers - first))
    return images.view(len(coarse), len(fine), *images.shape[1:])
    # end solution


# %%
lesson_08.exercise_5(mixed)

# %% slide="Two faces, one picture: coarse layers by the row, fine by the column"
A, B = (latent.draw(5, G.latent_dim, seed=s).to(device) for s in (20, 21))
with torch.no_grad():
    tables = {f"{name}: first {k} layers by the row": mixed(G, A, B, k) for name, k in (("4 and 8 px", 3), ("up to 16 px", 5), ("up to 32 px", 7))}
    column, row = data.to_uint8(G(A)).cpu(), data.to_uint8(G(B)).cpu()
blank = torch.full_like(row[:1], 255)
show.beside(
    {
        title: torch.cat([blank, row, *(torch.cat([one[None], data.to_uint8(made_).cpu()]) for one, made_ in zip(column, table))])
        for title, table in tables.items()
    },
    "Three tables of mixed faces: the first layers follow the face at the left of the row, the others the face above the "
    "column; from left to right 3, 5 and 7 of 9 layers follow the row.",
    columns=6,
)

# %% [markdown]
# Which attributes follow the coarse source, which the fine one? Do not trust five faces. Mix many, ask the judge, and count among pairs whose two sources differ in an attribute how often the mixture sides with the coarse one.

# %% slide="Which attributes follow the coarse layers?"
pairs = here.pick(ci=100, cpu=800, colab=1_500, full=3_000)
with torch.no_grad():
    one, other = (latent.draw(pairs, G.latent_dim, seed=s) for s in (22, 23))
    of_one, of_other = (marked(made(z, "z")) for z in (one, other))
    w_one, w_other = (G.mapping(z.to(device)) for z in (one, other))
    sides = {}
    for k in (1, 3, 5, 7):
        parts = zip(w_one.split(BLOCK), w_other.split(BLOCK))
        images = torch.cat([data.to_uint8(G.synthesis([a] * k + [b] * (G.layers - k))).cpu() for a, b in parts])
        sides[k] = marked(images) == of_one
differ = of_one != of_other
enough = [i for i in usable if differ[:, i].sum() >= 20]
print("of pairs that differ in it, the share that sides with the coarse source, percent")
print(f"{'coarse layers:':22}" + "".join(f"{k:>7}" for k in sides) + f"{'pairs':>9}")
table = {i: [100 * sides[k][differ[:, i], i].float().mean().item() for k in sides] for i in enough}
for i in sorted(table, key=lambda i: -table[i][1]):
    print(f"{face_judge.names[i]:22}" + "".join(f"{value:7.0f}" for value in table[i]) + f"{int(differ[:, i].sum()):9}")

# %% [markdown]
# 100 would be the coarse source alone, 0 the fine one alone. An attribute high up in the table is decided by the layers up to 8 px; one whose share rises only under 7 belongs to the layers of 32 px, and what stays low even there to those of 64 px. Shape first and colour last is what the papers show on photographs. Is it so here?
#
# ### Exercise 8.6 · Truncation
# Difficulty ●●○○○ · 10 minutes · why it matters: nearly every picture that you have seen from a StyleGAN was truncated, and papers do not always say so.
#
# Styles far from the mean are rare, and the generator has seen few of them. So draw all of them towards the mean style $\bar w$: $w' = \bar w + ψ\,(w - \bar w)$. With ψ = 1 nothing changes, with ψ = 0 there is one face. Return the pictures of `z` [N, latent_dim]; the mean is over the styles of the latents in `many` [M, latent_dim]. (`G.synthesis` takes one w for all layers, too.)
#
# <details><summary>Hint 1</summary>
#
# The mean of the styles is not the style of the mean: map `many` first.
#
# </details>
# <details><summary>Hint 2</summary>
#
# `mean = G.mapping(many).mean(0)`; `torch.lerp(mean, w, psi)` is the formula.
#
# </details>


# %%
def truncated(G, z, many, psi):
    """Pictures of z whose styles are drawn towards the mean style of many latents, [N, C, H, W]."""
    # solution
    mean = G.mapping(many).mean(0)
    return G.synthesis(mean + psi * (G.mapping(z) - mean))
    # end solution


# %%
lesson_08.exercise_6(truncated)

# %% [markdown]
# **Predict**: along ψ from 1 to 0.4, does precision rise all the way? Recall? And the Fréchet distance, which sees both? Nothing forbids ψ above 1, which pushes styles away from the mean: what do you expect there?

# %%
P = here.pick(ci=300, cpu=2_000, colab=3_000, full=5_000)
faces = portraits.draw(P, run.recipe.size, seed=1, progress=False)
real = judge.look(face_judge, faces.images)[0]
z_few, z_many = latent.draw(P, G.latent_dim, seed=24), latent.draw(2_000, G.latent_dim, seed=25).to(device)
curve, rows = {}, []
for psi in (0.4, 0.7, 0.85, 1.0, 1.2, 1.4):
    with torch.no_grad():
        images = torch.cat([data.to_uint8(truncated(G, part.to(device), z_many, psi)).cpu() for part in z_few.split(BLOCK)])
    found = judge.look(face_judge, images)[0]
    precision, recall = (of(real, found).mean().item() for of in (metrics.precision, metrics.recall))
    curve[psi] = precision, recall, metrics.frechet_distance(real, found)
    rows.append(images[:8])
older = judge.look(face_judge, sampling.sample(runs.find("dcgan-faces-64").generator(device), P, seed=24))[0]
older = (*(of(real, older).mean().item() for of in (metrics.precision, metrics.recall)), metrics.frechet_distance(real, older))
print(f"{P:,} pictures each\n     psi  precision  recall  Fréchet distance, judge 1")
for psi, (precision, recall, distance) in curve.items():
    print(f"{psi:8.2f}{precision:11.2f}{recall:8.2f}{distance:12.2f}")
print(f"{'DCGAN':>8}{older[0]:11.2f}{older[1]:8.2f}{older[2]:12.2f}   (dcgan-faces-64)")
beaten = [psi for psi, c in curve.items() if c[0] > older[0] and c[1] > older[1]]
best = min(curve, key=lambda psi: curve[psi][2])
nearer = "nearer to drawn faces than DCGAN" if curve[best][2] < older[2] else "farther from drawn faces than DCGAN"
print(f"\nstyle-based, by Fréchet distance best at psi {best:g}, and there {nearer};")
print("with more precision and more recall than DCGAN: ", end="")
print(", ".join(f"at psi {psi:g}" for psi in beaten) or "at none of these psi")
again = judge.look(face_judge, made(latent.draw(P, G.latent_dim, seed=26), "z"))[0]
print(f"a second set of latents at psi 1: Fréchet distance {metrics.frechet_distance(real, again):.2f}")
show.grid(torch.cat(rows), f"Eight faces, one a column; from top to bottom psi is {', '.join(f'{psi:g}' for psi in curve)}.", columns=8)

# %% slide="Truncation: precision against recall"
figure, ax = show.new_figure(5, 3.4)
ax.plot([c[1] for c in curve.values()], [c[0] for c in curve.values()], marker="o", color=show.BLUE)
for psi, (precision, recall, _) in curve.items():
    ax.annotate(f" ψ {psi:g}", (recall, precision))
ax.plot(older[1], older[0], "s", color=show.FAKE)
ax.annotate("DCGAN ", (older[1], older[0]), ha="right", va="top", color=show.FAKE)
ax.set(xlabel="recall", ylabel="precision")
show.figure(
    figure,
    f"Precision over recall for {len(curve)} truncations: "
    + "; ".join(f"psi {psi:g} precision {c[0]:.2f}, recall {c[1]:.2f}" for psi, c in curve.items())
    + f". DCGAN: precision {older[0]:.2f}, recall {older[1]:.2f}.",
)

# %% [markdown]
# Both in one place: how far towards the mean, and who styles which layers.

# %% slide="How far towards the mean, and who styles which layers"
widgets.style_mixer(RUN, measured={psi: c[:2] for psi, c in curve.items()})

# %% [markdown]
# Where the distance is smallest well below ψ = 1, the rare styles do more harm than their variety is worth; where well above, the generator's styles are too much alike, and pushing them apart gives back some variety that training lost. Which is it here, or neither? (A second set of latents at ψ = 1 moves the distance by what the last line says: smaller differences mean nothing.) And close to the mean precision can fall again, although there is hardly anything but "typical" faces: compare the first row with the second.
#
# So one generator is many, and "precision 0.9" without its ψ says nothing. Two generators can be compared fairly only as *curves*: is there a ψ at which one has both, more precision and more recall, than the other? The line under the table looks at these ψ only; in the figure, does the curve pass by DCGAN's point between two of them? Look at the faces again, too: which would you have called the better ones, and which of the numbers agrees with your eye? (The two runs differ in everything, also in how many images they saw: `runs.find(name).card` has it. That says which file to take, not which architecture is better.)
#
# ## 6 · Where GANs live in 2026
#
# When this course's sources were written, a GAN was *the* way to make pictures. It is no longer: for pictures from text, for video, for whatever is open-ended, diffusion and flow models have taken over, beginning with Dhariwal and Nichol (2021, arXiv:2105.05233), who passed the best GAN on ImageNet. (They learn to take a little noise out of a picture, and draw by doing that many times, beginning with nothing but noise.) They train stably, cover all modes, and simply become better with size. What they do not do by themselves is draw in one step. And adversarial training turns up wherever a *loss* is wanted that says "this does not look real" in one look:
#
# | where | what a GAN does there | a figure, from its paper |
# |---|---|---|
# | one-step distillation | a critic sharpens the *student*, a network that learns to do a diffusion model's many steps at once | Sauer et al. 2023 (ADD, arXiv:2311.17042), ablation, one step: FID 315.6 with distillation alone, 20.8 with the critic alone, 20.6 with both |
# | | | Yin et al. 2024 (DMD2, arXiv:2405.14867): FID 1.28 on ImageNet-64 in one step, with a GAN loss |
# | | *and without:* | Geng et al. 2025 (MeanFlow, arXiv:2505.13447): 3.43 on ImageNet-256 in one step, no critic at all |
# | tokenisers | the autoencoder in whose code other models draw is trained with a patch critic | Esser et al. 2021 (VQGAN, arXiv:2012.09841); Rombach et al. 2022 (latent diffusion, arXiv:2112.10752) |
# | codecs (compression), pictures | the decoder paints plausible detail that was not sent | Mentzer et al. 2020 (HiFiC, arXiv:2006.09965): preferred by viewers to older codecs at more than twice its bitrate |
# | codecs, sound | likewise; critics on waveforms and spectrograms | Kumar et al. 2023 (DAC, arXiv:2306.06546): sound of 44.1 kHz at 8 kbit/s, about 90 × smaller |
# | speech | from a spectrogram (which frequencies sound when) to a waveform, in one pass | Kong et al. 2020 (HiFi-GAN, arXiv:2010.05646): 168 × faster than real time on one V100 |
# | super-resolution | crisp at once | Ledig et al. 2017 (SRGAN, arXiv:1609.04802); Wang et al. 2021 (Real-ESRGAN, arXiv:2107.10833) |
# | | *replaced, where time allows:* | Saharia et al. 2021 (SR3, arXiv:2104.07636): viewers took diffusion's faces for the real ones in nearly 50 %, a GAN's in at most 34 % |
# | simulators | a shower of particles in a detector, without tracking each particle | Paganini et al. 2018 (CaloGAN, arXiv:1712.10321): up to 100,000 × faster than the full simulation; the ATLAS experiment has GANs in production in AtlFast3 (arXiv:2109.02551) |
# | the GAN itself | | Huang et al. 2024 (R3GAN, arXiv:2501.05441): FFHQ-256, FID 7.05 against StyleGAN2's 7.52, by a simpler recipe (section 3) |
#
# Each figure belongs to its own protocol: compare within a row of one paper, never across. What they have in common: the GAN is seldom the whole model any more. It is the **loss** that keeps another model from answering with a mean.
#
# ### The mean is blurred
#
# That can be shown in minutes. An **autoencoder** squeezes a face of 64 × 64 × 3 numbers into 8 × 8 × 4, a 48th, and paints it again. What did not fit into the code has to be guessed, and by the squared difference of the pixels the best guess is the mean of all that could have been: the mean of many sharp faces is a blurred one. Beside it, the same autoencoder with a **patch critic** (Isola et al. 2017; in this place Esser et al. 2021): a discriminator that sees patches of 22 × 22 pixels only and says for each "painted by a person or by you?". **Predict** for three numbers who wins: the error in pixels, the sharpness (`studies.sharpness`, in parts of the originals'), the Fréchet distance of unseen faces, before and after, in the judge's features.

# %%
known_faces = portraits.draw(here.pick(ci=80, cpu=2_000, colab=20_000, full=20_000), 64, progress=here.name != "ci")
unseen_faces = portraits.draw(here.pick(ci=60, cpu=400, colab=1_000, full=2_000), 64, seed=1, progress=False)
how_many = here.pick(ci=96, cpu=6_000, colab=100_000, full=200_000)
painters = {
    name: autoencoder.train(known_faces.images.to(device), weight, images=how_many, progress=here.name != "ci")
    for name, weight in {"pixels alone": 0.0, "with a patch critic": autoencoder.CRITIC}.items()
}
print(f"trained here, {how_many:,} images each: error in grey levels, sharpness in parts of the originals', Fréchet distance")
for name, painter in painters.items():
    found = autoencoder.measure(painter, unseen_faces.images.to(device))
    print(f"{name:20s} {found.error:6.2f} {found.sharpness:6.2f} {found.distance:7.2f}")

# %% slide="The mean is blurred: squeezed to a 48th, without and with a critic"
eight = unseen_faces.images[:8].to(device)
show.beside(
    {"unseen faces": eight.cpu(), **{name: autoencoder.again(painter, eight).cpu() for name, painter in painters.items()}},
    "Eight drawn faces, and the same squeezed to a 48th and painted again by two autoencoders, without and with a patch critic.",
    columns=4,
)

# %% [markdown]
# Now runs over seeds, each as long as the first line says (`python notebooks/tools/textures.py` repeats them):

# %%
kept = autoencoder.kept()
numbers = {}
rows = [("", "seeds", "error: median", "from … to", "sharpness", "from … to", "Fréchet distance", "from … to")]
for name, weight in (("pixels alone", 0.0), ("with a patch critic", kept["weight"])):
    some = [run for run in kept["runs"] if run["weight"] == weight]
    numbers[name] = {what: {run["seed"]: run[what] for run in some} for what in ("error", "sharpness", "distance")}
    row = [name, str(len(some))]
    for values in numbers[name].values():
        v = np.array(list(values.values()))
        row += [f"{np.median(v):.3g}", f"{v.min():.3g} … {v.max():.3g}"]
    rows.append(tuple(row))
print(f"{kept['images']:,} images each, {kept['unseen']:,} unseen faces\n")
print(terminal.aligned(rows))

# %% slide="Error, sharpness, distance: who wins what?"
plain, critic = numbers.values()
for what, better in (("error", "lower"), ("sharpness", "nearer to 1"), ("distance", "lower")):
    a, b = ({s: abs(v - 1) if what == "sharpness" else v for s, v in arm[what].items()} for arm in (critic, plain))
    mean, low, high = studies.difference(a, b)
    winner = "the critic wins" if high < 0 else "pixels alone win" if low > 0 else "these seeds do not tell"
    print(f"{what} ({better} is better): critic − pixels alone {mean:+.3g} [{low:+.3g}, {high:+.3g}]: {winner}")

# %% [markdown]
# The error asks "is it *this* face?", the Fréchet distance "is it *a* face?", so they may well choose different winners. Nobody can have the best of both; that is a theorem (Blau and Michaeli 2018, arXiv:1711.06077, the perception-distortion tradeoff). Who compresses an X-ray picture wants the first; who compresses a holiday film the second. And where a critic paints detail that was not sent, the detail is **invented**.
#
# ## 7 · Your own pictures
#
# You have a folder of pictures, but not 60,000. What goes wrong first is D: it learns the few by heart, is sure of everything, and its gradient no longer says what a picture should look like, only which ones it knows. A remedy that needs no more pictures: **change every picture on its way to D**, moved, cut, recoloured (Zhao et al. 2020, DiffAugment, arXiv:2006.10738). Three rules make it sound:
#
# 1. **Real and generated alike.** Change the real ones alone, and changed pictures are what G learns to make.
# 2. **In D's step and in G's**, or they play about different pictures.
# 3. **Differentiable**, for G's gradient comes back through the change.

# %% slide="Changes on the way to D"
one = portraits.draw(4, 64, seed=3).images
signed = data.to_signed(one)
dice = torch.Generator().manual_seed(SEED)
show.beside(
    {"as they are": one, **{name: augment.changed(signed, name, dice) for name in ("colour", "translation", "cutout")}, "all three": augment.changed(signed, "colour,translation,cutout", dice)},
    "Four drawn faces as they are; with other brightness, saturation and contrast; moved by up to an eighth; with a grey square; with all three.",
    columns=2,
)

# %% [markdown]
# ### Exercise 8.7 · Changes on the way to D
# Difficulty ●●○○○ · 15 minutes · why it matters: each of the three rules can be forgotten without an error message.
#
# `losses(G, D, T, real, z)` returns D's loss and G's (non-saturating), binary cross-entropy with labels 1 and 0, each part a mean over its batch, D's two parts added. T(images) changes pictures, differently at each call; D returns logits, and sees real and generated pictures in batches of their own.
#
# <details><summary>Hint 1</summary>
#
# Three looks: D(T(real)) and D(T(fake)) for D, D(T(fake)) for G. In which of them may the fake be detached?
#
# </details>
# <details><summary>Hint 2</summary>
#
# `F.binary_cross_entropy_with_logits(logits, torch.ones_like(logits))` is the loss against label 1. Detach before T in D's step, never in G's.
#
# </details>

# %%
def losses(G, D, T, real, z):
    """(D's loss, G's loss), every picture changed by T before D sees it."""
    # solution
    def bce(logits, label):
        return F.binary_cross_entropy_with_logits(logits, torch.full_like(logits, label))

    fake = G(z)
    d_loss = bce(D(T(real)), 1.0) + bce(D(T(fake.detach())), 0.0)
    return d_loss, bce(D(T(fake)), 1.0)
    # end solution


# %%
lesson_08.exercise_7(losses)

# %% [markdown]
# Does it help? A recipe has a field for it, `augment`. Two studies: the first 500 digits of MNIST only, and the first 100 only, seen again and again, as they are, augmented (moved, and with a grey square), and moved only; several seeds (`python -m gan_course study few-digits` and `fewer-digits` repeat them). Distances are to test digits; `memorised` is the share of generated pictures that repeat one of the few (`metrics.memorisation`, lesson 07; up to about 0.01 where nothing is copied). **Predict** four signs: does the distance fall or rise, for moved digits, with 500 and with 100; and D's share of right verdicts?

# %% slide="Few pictures: do changes on the way to D help?"
for name in ("few-digits", "fewer-digits"):
    study = studies.get(name)
    results = studies.read(study, studies.published(study))
    print(f"{study.of} digits, {study.images:,} images a run: each is seen {study.images // study.of} times\n")
    for measure in ("distance", "recall", "memorised", "right"):
        print(studies.summary(study, results, measure), "\n")
    distance = studies.by_arm(results, "distance")
    for arm in list(study.arms)[1:]:
        mean, low, high = studies.difference(distance[arm], distance["as they are"])
        verdict = "helps" if high < 0 else "harms" if low > 0 else "no difference that these seeds show"
        print(f"{study.of} digits, {arm}: distance {mean:+.1f} [{low:+.1f}, {high:+.1f}]: {verdict}")
    mean, low, high = studies.difference(distance["moved only"], distance["augmented"])
    print(f"{study.of} digits, moved only against augmented: {mean:+.1f} [{low:+.1f}, {high:+.1f}]\n\n")

# %% [markdown]
# No remedy is good for every patient. Look at the last table of each part: do changes make D's task harder? That is a relief where D knows the few by heart, and a loss of signal where it does not. The kind of change can matter, too: a digit moved by an eighth of the picture is still a digit, one behind a grey square is not quite. Which of this do the intervals show? Try it on your set before you believe it, this course included.
#
# **Closing task.** Choose a folder of your own pictures: `MY_PICTURES = "path/to/folder"`. Of people only such as have agreed; what a generator makes of a face is about that person, too. Without a folder, drawn faces stand in. (About forty pictures are the least: 32 have to fill a batch.) A fifth of them is put aside and never trained on: those are the yardstick.
#
# Before you run: how many pictures have to be put aside before one can even ask whether it copies? Write your guess down.

# %%
MY_PICTURES = None  # a folder or a zip
STAND_IN = here.pick(ci=500, cpu=600, colab=1_000, full=1_000)  # drawn faces, without a folder
if MY_PICTURES is None:
    mine = portraits.draw(STAND_IN, 64, seed=4, progress=False)
else:
    mine = data.load("faces", 64, path=MY_PICTURES)
order = torch.randperm(len(mine), generator=torch.Generator().manual_seed(SEED))
aside = len(mine) // 5
held_out, learned = mine.images[order[:aside]], mine.images[order[aside:]]
print(mine.source)
print(f"{len(learned)} to learn from, {aside} put aside")

# %%
CHANGES = {}  # or studies.get("ladder").arms["+ residual networks"], section 3: with a GPU, and more than minutes
AUGMENT = "colour,translation,cutout"  # or "none": run it both ways
own_recipe = recipes.get("quick-faces").at(here).but(augment=AUGMENT, **CHANGES)
own = GAN(own_recipe, SEED, device)
for _ in training.train(own, learned, here.pick(ci=6, cpu=300, colab=6_000, full=20_000), progress=here.name != "ci"):
    pass
new = sampling.sample(own.average, 500, seed=SEED)
show.beside({"yours": learned[:32], "generated": new[:32]}, f"32 pictures to learn from, and 32 generated after {own.images:,} images.", columns=8)

# %% [markdown]
# Does it copy? `metrics.memorisation` needs features and at least 100 unseen pictures. A judge of your pictures does not exist, so the features are the pictures themselves, reduced to 16 pixels: a copy is caught, a copy that was moved is not. And are they like yours at all? Halve the pictures put aside at random, ten times: the kernel distance (lesson 07) of the generated pictures to the real ones should not be larger than the largest of these ten.

# %%
def small(images):
    """Pictures reduced to 16 pixels a side, a row a picture."""
    return F.interpolate(images.float() / 255, (16, 16), mode="bilinear", antialias=True).flatten(1)


def opinion(learned, held_out, made):
    """What may honestly be said of a generator that has learned from so few pictures."""
    if len(held_out) < 100:
        return f"not enough pictures: {len(held_out)} put aside, and below 100 nobody can say whether it copies; collect 500"
    repeats = metrics.memorisation(small(learned), small(held_out), small(made)).mean().item()
    dice = torch.Generator().manual_seed(0)
    halves = [small(held_out)[torch.randperm(len(held_out), generator=dice)].chunk(2) for _ in range(10)]
    floor = max(metrics.kernel_distance(a, b) for a, b in halves)
    found = metrics.kernel_distance(small(held_out), small(made))
    said = f"repeats {repeats:.1%} (1 % where nothing is copied), kernel distance {found:.4f} (real halves at most {floor:.4f})"
    if repeats > 0.05:
        return f"not enough pictures, or trained too long on them: {said}"
    if found > floor:
        return f"not like the real ones, trained too shortly or on too few: {said}"
    return f"new pictures, and these numbers do not tell them from real ones: {said}"


print("yours:", opinion(learned.cpu(), held_out.cpu(), new))
print("had there been fifty:", opinion(learned[:40].cpu(), held_out[:10].cpu(), new))
print("a cheat that shows what it has learned:", opinion(learned.cpu(), held_out.cpu(), learned[:500].cpu()))

# %% [markdown]
# Three sentences are to be handed in: what you trained on and for how long; what the numbers allow you to say; and whether your pictures were **enough**. "They were not" is a full answer. Zhao and others get far with a hundred pictures, but of *one* person or one kind of cat, all framed alike, and with many hours of a GPU; of many people in many poses, some thousands are where faces begin to be faces.

# %% tags=["showed"]
print(f"the published run obeys in {counts['published'].sum() / (10 * EACH):.1%} of the cases; D not told: {not_told:.0%};")
print(f"autoencoder, medians without and with a critic: error {np.median(list(plain['error'].values())):.3g} and {np.median(list(critic['error'].values())):.3g} grey levels, sharpness {np.median(list(plain['sharpness'].values())):.2f} and {np.median(list(critic['sharpness'].values())):.2f}")

# %% [markdown]
# ## What to remember
#
# - The class behind z is an embedding, added in the first layer; D hears it by a projection, ψ(φ) + ⟨V_y, φ⟩. G listens only because D does: ask and count.
# - The modern recipe: a loss that ranks, two penalties, no normalisation, branches that begin as 0. What a change is worth depends on the budget.
# - Modulation says which channels count, demodulation keeps them from shouting. Whether W is straighter than Z is measured; no precision without its ψ.
# - In 2026 adversarial losses make diffusion fast and sit in codecs. The least error is blurred; what a critic adds is invented.
# - With few pictures D learns by heart. Changing them on the way to D is a remedy with a price: it harmed one set here, and brought another more variety at most. Measure.
#
# ## Ask yourself
#
# <details><summary>You ask for sevens and get good digits of all kinds. Where do you look first?</summary>
# Whether D is told the class at all, and whether the labels were shuffled with the images. The losses will not say.
# </details>
#
# <details><summary>Why do the fakes of a step get the labels of the real batch?</summary>
# Then both sides have the same classes equally often, and D cannot win by the label alone.
# </details>
#
# <details><summary>Why can a style not make the picture brighter through a demodulated layer?</summary>
# A factor on all of a style's numbers is a factor on all weights of each output channel, and the division by their length takes it out again. Brightness can come through to-RGB, which is not demodulated.
# </details>
#
# <details><summary>Why does this generator's D have no BatchNorm?</summary>
# It pays R1, a penalty on each picture's own slope, and with BatchNorm the verdict on a picture depends on the others of the batch (lesson 06). And nothing else would hold this generator's contrast: without a bias in its first convolution, DCGAN's D says the same of a picture and of twice the picture.
# </details>
#
# <details><summary>Somebody shows that W separates attributes better than Z in one trained generator. What is missing?</summary>
# Other seeds of the same recipe, an interval, and the same classifier on both; and the question whether the plane was asked about vectors that it was not fitted to.
# </details>
#
# <details><summary>A codec with a critic shows a number plate sharply at a tiny bitrate. Would you read it out in court?</summary>
# No. What was not sent was invented, plausibly. Sharp is not the same as right.
# </details>
#
# <details><summary>Why must G's pictures be augmented, too, if the aim is that D does not learn the real ones by heart?</summary>
# Else D tells changed from unchanged, and G learns to make changed pictures.
# </details>
#
# ## Where to read on
#
# - Mehdi Mirza, Simon Osindero, *Conditional Generative Adversarial Nets*, 2014, [arXiv:1411.1784](https://arxiv.org/abs/1411.1784).
# - Takeru Miyato, Masanori Koyama, *cGANs with Projection Discriminator*, 2018, [arXiv:1802.05637](https://arxiv.org/abs/1802.05637).
# - Phillip Isola, Jun-Yan Zhu, Tinghui Zhou, Alexei Efros, *Image-to-Image Translation with Conditional Adversarial Networks*, 2017, [arXiv:1611.07004](https://arxiv.org/abs/1611.07004): the patch critic.
# - Patrick Esser, Robin Rombach, Björn Ommer, *Taming Transformers for High-Resolution Image Synthesis*, 2021, [arXiv:2012.09841](https://arxiv.org/abs/2012.09841).
# - Tero Karras, Samuli Laine, Timo Aila, *A Style-Based Generator Architecture for GANs*, 2019, [arXiv:1812.04948](https://arxiv.org/abs/1812.04948): mapping, mixing, truncation, path length, separability.
# - Tero Karras and others, *Analyzing and Improving the Image Quality of StyleGAN*, 2020, [arXiv:1912.04958](https://arxiv.org/abs/1912.04958): modulation and demodulation, skips.
# - Yiwen Huang, Aaron Gokaslan, Volodymyr Kuleshov, James Tompkin, *The GAN is dead; long live the GAN!*, 2024, [arXiv:2501.05441](https://arxiv.org/abs/2501.05441): the modern recipe and its road.
# - Hongyi Zhang, Yann Dauphin, Tengyu Ma, *Fixup Initialization*, 2019, [arXiv:1901.09321](https://arxiv.org/abs/1901.09321): deep networks without normalisation.
# - Yochai Blau, Tomer Michaeli, *The Perception-Distortion Tradeoff*, 2018, [arXiv:1711.06077](https://arxiv.org/abs/1711.06077).
# - Axel Sauer, Dominik Lorenz, Andreas Blattmann, Robin Rombach, *Adversarial Diffusion Distillation*, 2023, [arXiv:2311.17042](https://arxiv.org/abs/2311.17042).
# - Shengyu Zhao, Zhijian Liu, Ji Lin, Jun-Yan Zhu, Song Han, *Differentiable Augmentation for Data-Efficient GAN Training*, 2020, [arXiv:2006.10738](https://arxiv.org/abs/2006.10738).
