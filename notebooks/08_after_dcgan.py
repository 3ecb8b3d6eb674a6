# %% [markdown]
# # 08 · After DCGAN
#
# > After it you can ask a generator for a class, say what the last ten years changed and what GANs are for in 2026, and train one on pictures of your own.
#
# {{badge}}
#
# **After this lesson you can**
#
# - ask a generator for a seven, and derive and write the discriminator that makes it obey,
# - measure whether it obeys, class by class, and recognise the way of doing it that does nothing,
# - say where GANs are at work today, where something else replaced them, and show why in an experiment of minutes,
# - train on a few pictures of your own, and say honestly when they are too few.
#
# | | two CPU cores | Colab T4 |
# |---|---|---|
# | minutes to run it all | not measured yet | not measured yet |
# | minutes to read and solve it | about 180, in two sittings | about 180, in two sittings |
#
# Read first: lesson 03 (DCGAN, the judge), lesson 07 (the numbers). Lessons 05 and 06 help.

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
import numpy as np
import torch
import torch.nn.functional as F

from gan_course import (
    augment,
    autoencoder,
    data,
    devices,
    judge,
    metrics,
    networks,
    portraits,
    profiles,
    recipes,
    runs,
    sampling,
    show,
    studies,
    terminal,
    training,
    widgets,
)
from gan_course.checks import lesson_08
from gan_course.gan import GAN

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

# %%
widgets.number_writer("conditional-digits", "030 1234567")

# %% [markdown]
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
# With both, ask the published generator for ten of each, and look at what it has learned about its classes: which two embeddings are most alike? **Predict** the pair.

# %%
G = runs.find("conditional-digits").generator(device)
dice = torch.Generator().manual_seed(SEED)
labels = torch.arange(10).repeat_interleave(10)
z = torch.randn(100, 100, generator=dice)
with torch.no_grad():
    pictures = G(asked(z, labels, 10).to(device))
show.grid(pictures, "Ten rows of ten generated digits: a row of zeros, one of ones, and so on to the nines.", columns=10)

# %%
first = G.layers[1][0].weight  # a transposed convolution: [inputs, channels, 4, 4]
table = embedding(first.flatten(1).T.cpu(), 10)
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
#
# The second part is about telling classes, and the usual way to tell them is softmax of a linear function of features φ(x): $\log p(y|x) = \langle v^p_y, \varphi(x)\rangle - \log Z^p(\varphi(x))$, and likewise for q with $v^q_y$. Subtract. What does not depend on y, the two Z and the first part, is some function ψ of φ(x); what does is one scalar product:
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
# (All classes are equally frequent there and ψ comes out as 0. With frequencies that differ, their ratio joins $V_y$'s last number.)
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
    difference = (own - D(few, classes)).abs().max().item()
gan.D.train()
print(f"largest difference to the package's D on {len(few)} digits: {difference:.1e}")
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
# **Does it obey?** Ask for each class many times, show the pictures to the judge (which never saw the labels that were asked for), and count. Call the share that it calls by the class asked for the **alignment**. Its ceiling is the judge's own accuracy on real digits.

# %%
expert = judge.load("mnist", device)
EACH = here.pick(ci=20, cpu=200, colab=500, full=1_000)


def obeyed(generator):
    """Of EACH pictures of every class, how many the judge calls by it, [10]."""
    asked_for = torch.arange(10).repeat_interleave(EACH)
    images = sampling.sample(generator, 10 * EACH, seed=1, labels=asked_for)
    named = judge.look(expert, images)[1].argmax(1)
    return (named == asked_for).view(10, EACH).sum(1)


counts = {"published": obeyed(G), "just trained": obeyed(gan.average)}
of_real = [(judge.look(expert, unseen.images[unseen.labels == y])[1].argmax(1) == y).float().mean().item() for y in range(10)]
rows = [("asked for", *counts, "judge, on real ones")]
rows += [(str(y), *(f"{c[y]} of {EACH}" for c in counts.values()), f"{of_real[y]:.0%}") for y in range(10)]
rows.append(("all", *(f"{c.sum() / (10 * EACH):.1%}" for c in counts.values()), f"{judge.accuracy(expert, unseen):.1%}"))
print(terminal.aligned(rows, numbers=True))
worst = int(counts["published"].argmin())
print(f"\nthe published run obeys least at {worst}: {counts['published'][worst]} of {EACH}")

# %% [markdown]
# A number that a careless reader takes for more than it is: a generator that draws *one* perfect seven again and again is perfectly aligned, and a judge is sure of many things that are no digit. So alignment stands beside the Fréchet distance, never alone.
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

# %%
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
# Compare the last two lines: would you have noticed the deaf run by its telemetry? You find it by asking and counting. (Labels that were not shuffled together with the images are the other way to deafness; `labels=digits.labels.roll(1)` in the loop above makes you one.)
#
# Look at the distances, too. A label is information about the picture that somebody paid for; a D that knows it compares sevens with sevens. The interval beside it says whether that was worth something here. (With a few seeds an interval is a rough one, and this is a short run at a small width; whether it still holds after a long one is another question.)
#
# ## 2 · Optional: the same z, all classes
#
# If y says *what*, does z say *how*? Each row below has one z, each column one class.

# %%
styles = torch.randn(6, 100, generator=dice)
with torch.no_grad():
    sheet = G(asked(styles.repeat_interleave(10, 0), torch.arange(10).repeat(6), 10).to(device))
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
    hands = torch.stack([hand(G(asked(zs, torch.full((many,), y), 10).to(device))) for y in range(10)]).cpu()  # [10, many, 2]
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
    ends = [asked(z, torch.full((len(z),), y), 10) for y in (a, b)]
    return torch.lerp(*ends, t)


with torch.no_grad():
    walks = torch.cat([G(torch.cat([between(styles[i : i + 1], a, b, t / 8) for t in range(9)]).to(device)) for i, (a, b) in enumerate([(3, 8), (1, 7), (4, 9), (0, 6)])])
show.grid(walks, "Four rows of nine pictures: from a 3 to an 8, a 1 to a 7, a 4 to a 9, a 0 to a 6, in equal steps of the class.", columns=9)

# %%
with torch.no_grad():
    for t in (0.0, 0.25, 0.5, 0.75, 1.0):
        seen = judge.look(expert, data.to_uint8(G(between(zs, 3, 8, t).to(device))).cpu())[1].softmax(1)
        sure = (seen.max(1).values > 0.9).float().mean()
        print(f"t = {t:.2f}: a 3 in {(seen.argmax(1) == 3).float().mean():4.0%}, an 8 in {(seen.argmax(1) == 8).float().mean():4.0%}; the judge is sure of {sure:4.0%}")

# %% [markdown]
# <!-- sections 3 to 5: the modern recipe, a style-based generator, W against Z -->

# %% [markdown]
# ## 6 · Where GANs live in 2026
#
# When this course's sources were written, a GAN was *the* way to make pictures. It is no longer: for pictures from text, for video, for whatever is open-ended, diffusion and flow models have taken over, beginning with Dhariwal and Nichol (2021, arXiv:2105.05233), who passed the best GAN on ImageNet. They train stably, cover all modes, and simply become better with size. What they do not do by themselves is draw in one step. And adversarial training turns up wherever a *loss* is wanted that says "this does not look real" in one look:
#
# | where | what a GAN does there | a figure, from its paper |
# |---|---|---|
# | one-step distillation | a critic sharpens the student that does a diffusion model's many steps at once | Sauer et al. 2023 (ADD, arXiv:2311.17042), ablation, one step: FID 315.6 with distillation alone, 20.8 with the critic alone, 20.6 with both |
# | | | Yin et al. 2024 (DMD2, arXiv:2405.14867): FID 1.28 on ImageNet-64 in one step, with a GAN loss |
# | | *and without:* | Geng et al. 2025 (MeanFlow, arXiv:2505.13447): 3.43 on ImageNet-256 in one step, no critic at all |
# | tokenisers | the autoencoder in whose code other models draw is trained with a patch critic | Esser et al. 2021 (VQGAN, arXiv:2012.09841); Rombach et al. 2022 (latent diffusion, arXiv:2112.10752) |
# | codecs, pictures | the decoder paints plausible detail that was not sent | Mentzer et al. 2020 (HiFiC, arXiv:2006.09965): preferred by viewers to older codecs at more than twice its bitrate |
# | codecs, sound | likewise; critics on waveforms and spectrograms | Kumar et al. 2023 (DAC, arXiv:2306.06546): sound of 44.1 kHz at 8 kbit/s, about 90 × smaller |
# | vocoders | from a spectrogram to a waveform, in one pass | Kong et al. 2020 (HiFi-GAN, arXiv:2010.05646): 168 × faster than real time on one V100 |
# | super-resolution | crisp at once | Ledig et al. 2017 (SRGAN, arXiv:1609.04802); Wang et al. 2021 (Real-ESRGAN, arXiv:2107.10833) |
# | | *replaced, where time allows:* | Saharia et al. 2021 (SR3, arXiv:2104.07636): viewers took diffusion's faces for the real ones in nearly 50 %, a GAN's in at most 34 % |
# | simulators | a shower of particles in a detector, without tracking each particle | Paganini et al. 2018 (CaloGAN, arXiv:1712.10321): up to 100,000 × faster than the full simulation; the ATLAS experiment has GANs in production in AtlFast3 (arXiv:2109.02551) |
# | the GAN itself | | Huang et al. 2024 (R3GAN, arXiv:2501.05441): FFHQ-256, FID 7.05 against StyleGAN2's 7.52, by a simpler recipe (section 3) |
#
# Each figure belongs to its own protocol: compare within a row of one paper, never across. What they have in common: the GAN is seldom the whole model any more. It is the **loss** that keeps another model from answering with a mean.
#
# ### The mean is blurred
#
# That can be shown in minutes. An **autoencoder** squeezes a face of 64 × 64 × 3 numbers into 8 × 8 × 4, a 48th, and paints it again. What did not fit into the code has to be guessed, and by the pixels' difference the best guess is the middle of all that could have been: the mean of many sharp faces is a blurred one. Beside it, the same autoencoder with a **patch critic** (Isola et al. 2017; in this place Esser et al. 2021): a discriminator that sees patches of 22 × 22 pixels only and says for each "painted by a person or by you?". **Predict** for three numbers who wins: the error in pixels, the sharpness (`studies.sharpness`, in parts of the originals'), the Fréchet distance of unseen faces, before and after, in the judge's features.

# %%
CRITIC = 0.05  # the critic's weight beside the pixels' difference
faces = portraits.draw(here.pick(ci=80, cpu=2_000, colab=20_000, full=20_000), 64, progress=here.name != "ci")
others = portraits.draw(here.pick(ci=60, cpu=400, colab=1_000, full=2_000), 64, seed=1, progress=False)
how_many = here.pick(ci=96, cpu=6_000, colab=100_000, full=200_000)
painters = {
    name: autoencoder.train(faces.images.to(device), weight, images=how_many, progress=here.name != "ci")
    for name, weight in {"pixels alone": 0.0, "with a patch critic": CRITIC}.items()
}
print(f"trained here, {how_many:,} images each: error in grey levels, sharpness in parts of the originals', Fréchet distance")
for name, painter in painters.items():
    found = autoencoder.measure(painter, others.images.to(device))
    print(f"{name:20s} {found.error:6.2f} {found.sharpness:6.2f} {found.distance:7.2f}")

# %%
eight = others.images[:8].to(device)
show.beside(
    {"unseen faces": eight.cpu(), **{name: autoencoder.again(painter, eight).cpu() for name, painter in painters.items()}},
    "Eight drawn faces, and the same squeezed to a 48th and painted again by two autoencoders, without and with a patch critic.",
    columns=8,
)

# %% [markdown]
# Now the longer runs, over seeds (`python notebooks/tools/textures.py` repeats them):

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

# %%
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
# You have a folder of pictures, but not 60,000. What goes wrong first is D: it learns the few by heart, is sure of everything, and its gradient no longer says what a picture should look like, only which ones it knows. The remedy that needs no more pictures: **change every picture on its way to D**, moved, cut, recoloured (Zhao et al. 2020, DiffAugment, arXiv:2006.10738). Three rules make it work:
#
# 1. **Real and generated alike.** Change the real ones alone, and changed pictures are what G learns to make.
# 2. **In D's step and in G's**, or they play about different pictures.
# 3. **Differentiable**, for G's gradient comes back through the change.

# %%
one = portraits.draw(4, 64, seed=3).images
signed = data.to_signed(one)
dice = torch.Generator().manual_seed(SEED)
show.beside(
    {"as they are": one, **{name: augment.changed(signed, name, dice) for name in ("colour", "translation", "cutout")}, "all three": augment.changed(signed, "colour,translation,cutout", dice)},
    "Four drawn faces as they are; with other brightness, saturation and contrast; moved by up to an eighth; with a grey square; with all three.",
    columns=4,
)

# %% [markdown]
# ### Exercise 8.7 · Changes on the way to D
# Difficulty ●●○○○ · 15 minutes · why it matters: each of the three rules can be forgotten without an error message.
#
# `losses(G, D, T, real, z)` returns D's loss and G's (non-saturating), binary cross-entropy with labels 1 and 0, where T(images) changes pictures. D returns logits.
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
# Does it help? A recipe has a field for it, `augment`. The study: the first 500 digits of MNIST only, seen again and again, with and without, several seeds (`python -m gan_course study few-digits` repeats it). Distances are to test digits; `memorised` is the share of generated pictures that repeat one of the 500 (`metrics.memorisation`, lesson 07; 0.01 where nothing is copied).

# %%
study = studies.get("few-digits")
results = studies.read(study, studies.published(study))
print(f"{study.of} digits, {study.images:,} images a run: each is seen {study.images // study.of} times\n")
for name in ("distance", "memorised", "recall", "right"):
    print(studies.summary(study, results, name), "\n")
for name in ("distance", "memorised"):
    table = studies.by_arm(results, name)
    mean, low, high = studies.difference(table["augmented"], table["as they are"])
    verdict = "helps" if high < 0 else "harms" if low > 0 else "no difference that these seeds show"
    print(f"augmentation, {name} {mean:+.3g} [{low:+.3g}, {high:+.3g}]: {verdict}")

# %% [markdown]
# **Closing task.** Choose a folder of your own pictures: `MY_PICTURES = "path/to/folder"`. Of people only such as have agreed; what a generator makes of a face is about that person, too. Without a folder, drawn faces stand in. A fifth of them is put aside and never trained on: those are the yardstick.
#
# Before you run: how many pictures will be too few? Write your guess down.

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
own_recipe = recipes.get("quick-faces").at(here).but(augment="colour,translation,cutout")
own = GAN(own_recipe, SEED, device)
for _ in training.train(own, learned, here.pick(ci=6, cpu=300, colab=6_000, full=20_000), progress=here.name != "ci"):
    pass
made = sampling.sample(own.average, 500, seed=SEED)
show.beside({"yours": learned[:32], "generated": made[:32]}, f"32 pictures to learn from, and 32 generated after {own.images:,} images.", columns=8)

# %% [markdown]
# Does it copy? `metrics.memorisation` needs features and at least 100 unseen pictures. A judge of your pictures does not exist, so the features are the pictures themselves, reduced to 16 pixels: a copy is caught, a copy that was moved is not. And are they like yours at all? Halve the pictures put aside at random, ten times: no kernel distance (lesson 07) of generated pictures to real ones should be larger than those between real halves.

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


print("yours:", opinion(learned.cpu(), held_out.cpu(), made))
print("had there been fifty:", opinion(learned[:40].cpu(), held_out[:10].cpu(), made))
print("a cheat that shows what it has learned:", opinion(learned.cpu(), held_out.cpu(), learned[:500].cpu()))

# %% [markdown]
# Three sentences are to be handed in: what you trained on and for how long; what the numbers allow you to say; and whether your pictures were **enough**. "They were not" is a full answer. Zhao and others get far with a hundred pictures, but of *one* person or one kind of cat, all framed alike, and with many hours of a GPU; of many people in many poses, some thousands are where faces begin to be faces.

# %% tags=["showed"]
print(f"the published run obeys in {counts['published'].sum() / (10 * EACH):.1%} of the cases; D not told: {not_told:.0%};")
print(f"autoencoder, medians without and with a critic: error {np.median(list(plain['error'].values())):.3g} and {np.median(list(critic['error'].values())):.3g} grey levels, sharpness {np.median(list(plain['sharpness'].values())):.2f} and {np.median(list(critic['sharpness'].values())):.2f}")

# %% [markdown]
# ## What to remember
#
# - The class behind z is an embedding: a learned vector, added in the first layer. D hears it by a projection, ψ(φ) + ⟨V_y, φ⟩, which is what log p(x, y)/q(x, y) looks like.
# - G listens only because D does. Ask and count, class by class; alignment says nothing about variety.
# - In 2026 diffusion and flow models draw the open-ended pictures; adversarial losses make them draw in one step, and sit in the codecs and tokenisers beneath them.
# - The least error is a blurred picture; a critic trades error for plausibility, and what it adds is invented.
# - With few pictures D learns by heart. Change every picture on its way to D, real and generated, in both steps; and say when there were not enough.
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
# - Yochai Blau, Tomer Michaeli, *The Perception-Distortion Tradeoff*, 2018, [arXiv:1711.06077](https://arxiv.org/abs/1711.06077).
# - Axel Sauer, Dominik Lorenz, Andreas Blattmann, Robin Rombach, *Adversarial Diffusion Distillation*, 2023, [arXiv:2311.17042](https://arxiv.org/abs/2311.17042).
# - Shengyu Zhao, Zhijian Liu, Ji Lin, Jun-Yan Zhu, Song Han, *Differentiable Augmentation for Data-Efficient GAN Training*, 2020, [arXiv:2006.10738](https://arxiv.org/abs/2006.10738).
