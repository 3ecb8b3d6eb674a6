# %% [markdown]
# # 08 · After DCGAN
#
# > After it you can ask a generator for a class, build one that is steered layer by layer, and say what the last ten years changed.
#
# {{badge}}
#
# **After this lesson you can**
#
# - say which parts of the modern recipe earned their place on a small budget, and which did not,
# - predict what happens to the signal in a network that normalises nothing,
# - write a modulated convolution by hand, and say what demodulation is for,
# - mix two styles, draw styles towards the mean, and say with numbers what that gives and costs,
# - compare W with Z by the measures of lesson 05 instead of by a pretty picture.
#
# | | two CPU cores | Colab T4 |
# |---|---|---|
# | minutes to run it all | not measured yet | not measured yet |
# | minutes to read and solve it | about 120 | about 120 |
#
# Read first: lesson 05 (latent space), lesson 06 (penalties, the relativistic pair), lesson 07 (the numbers).

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
import torch
import torch.nn.functional as F

from gan_course import (
    data,
    devices,
    judge,
    latent,
    metrics,
    networks,
    portraits,
    profiles,
    runs,
    sampling,
    show,
    studies,
    style,
    widgets,
)
from gan_course.checks import lesson_08
from gan_course.modern import Residual

SEED = 0
here = profiles.current()
device = devices.default()
print(f"profile {here.name}: {here.about}; computing on {devices.name(device)}")

# %% [markdown]
# ## 3 · What ten years changed
#
# DCGAN is from 2015. In 2024 Huang and others asked which of a decade's tricks are needed, took StyleGAN2 apart until next to nothing was left, and built up again. What they kept (their R3GAN) is short:
#
# - **the loss**: the relativistic pair of lesson 06, where D ranks a real picture above the generated one beside it,
# - **the penalty**: R1 *and* R2, on D's slope at real and at generated pictures,
# - **the networks**: no BatchNorm; residual branches; sizes changed by bilinear interpolation, and convolutions of 3 × 3 that leave the size alone,
# - **the optimiser**: Adam without momentum for a start (betas 0 and 0.99).
#
# On faces of 256 px their numbers (FID, a single run each) went: StyleGAN2 7.52; stripped 12.46; with the relativistic pair 11.77; with R2 beside R1 11.65; with modern networks 7.05. So there the networks gave most. They trained for days on several GPUs. What of it holds on one core within a minute, where a step's price counts as much as its worth?
#
# **Predict** before you look: five recipes on clothes, each the one before plus one change, all with the same seconds of one core. Where does the distance fall, where does it rise? Write five signs down.

# %%
ladder = studies.get("ladder")
climbed = studies.read(ladder, studies.published(ladder))
print(f"{ladder.about} {ladder.seconds:.0f} s a run, of {len(climbed)} runs")
for measure in ("distance", "precision", "recall"):
    print(studies.summary(ladder, climbed, measure), end="\n\n")
seen = {arm: [r.evidence["images"] for r in climbed if r.arm == arm] for arm in ladder.arms}
print("images in that time: " + "; ".join(f"{arm} {sum(n) / len(n):,.0f}" for arm, n in seen.items() if n))

# %% [markdown]
# Read a row against the first: where the interval leaves 0 out, the seeds agree that it is better (below 0) or worse (above 0) than DCGAN *after the same time*. Where it holds 0, these runs do not tell. Then compare each row with the one above it, and the last line with both: a change that costs half of the images has to make up for them first.
#
# Does that say that the modern recipe is no good? No: it says what it is worth here, in a minute of one core on small grey pictures, with rates that nobody tuned for it. The paper's claim is about training that goes on. Both can be true, and only the second kind of number was in the paper.
#
# ### 1,000 modes, two losses, two penalties
#
# Their second claim can be tested exactly. *Stacked MNIST* lays three random digits over each other as red, green and blue: 1,000 kinds of pictures, equally frequent, and a judge of digits reads off which. They report (one run each): relativistic with R1 and R2 found 1,000 kinds; the old loss with both 693; with R1 alone, both losses diverged.

# %%
stacked = studies.get("stacked-digits")
counted = studies.read(stacked, studies.published(stacked))
print(f"{stacked.about} {stacked.images:,} images a run, quarter width, {len(counted)} runs")
for measure in ("modes", "kl", "diverged"):
    print(studies.summary(stacked, counted, measure), end="\n\n")

# %% [markdown]
# KL is how far the shares of the 1,000 are from equal ones: with 26,000 pictures drawn evenly it would be about 999 / 52,000 = 0.02, so no run can be expected below that. Hold the four rows against the paper's sentence: which *order* returns, and which does not? Its networks were larger and its runs longer; theirs and ours were not made by one protocol, and only rows of one table may be compared.
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
# Now one change of the recipe: the package's residual branches begin as 0 (their second convolution's first weights are 0, *Fixup*, Zhang and others 2019). Give them He's weights instead, as if nobody had thought of it. **Predict** the factor for 4, 8 and 16 blocks from the share that one block shows, then run.


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
print("blocks   as Fixup begins   He's weights: measured   predicted by yours   share that would fit")
for blocks in (4, 8, 16):
    measured = tower(blocks, 1.0)
    print(f"{blocks:6}{tower(blocks, 0.0):18.2f}{measured:25.1f}{float(grown(blocks, share)):21.1f}", end="")
    print(f"{measured ** (1 / blocks) - 1:25.2f}")

# %% [markdown]
# The prediction is as good as its assumption, that every block has the first one's share. (It has not: leaky ReLU gives the later ones a mean to work on, and padding takes a little away at the edges. A small error in the share is made as often as there are blocks, hence the last column.) With Fixup an untrained network of any depth hands on what it is given, and every branch grows from 0 as the loss asks for it. BatchNorm had done it by force, and made D's verdict on a picture depend on its neighbours in the batch: lesson 06 showed why R1 and R2 cannot live with that.
#
# ## 4 · A generator steered layer by layer
#
# A DCGAN is told z once, at the bottom; all that happens above has to be carried up through every layer. Karras and others (2019) turned it around. The picture grows out of a **constant**, the same for all, and z is told to *every* layer:
#
# 1. **Mapping.** A small network turns z into a style w, in a space W that nobody forces to be a ball.
# 2. **Modulation.** In each layer an affine function of w gives one number for each input channel, which the channel is multiplied by.
# 3. **Noise.** Each layer gets a random picture of its own for what is mere chance (strands of hair), so that z need not hold it.
# 4. **To-RGB skips** (Karras and others 2020). Every size shows its own picture, and the pictures are added up.
#
# `gan_course/style.py` holds all of it in some 200 lines, `style-faces-64` is trained on drawn faces, and here is what it makes.

# %%
RUN = "style-faces-64"
run = runs.find(RUN)
G = run.generator(device)
print(f"{RUN}: {networks.count_parameters(run.recipe.build()[0]):,} numbers, {run.card['images']:,} images seen")
show.grid(sampling.sample(G, 32, seed=4), "32 drawn faces by the style-based generator.", columns=8)

# %% [markdown]
# The sum of the skips, from 4 px to 64 px: what does each size add?


# %%
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
# The package gets the same from *one* convolution, because a convolution is linear: it multiplies the input's channels by the style, convolves with the shared weights, and divides by the lengths afterwards. And what does demodulation prevent? Make all styles ten times as large.

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
expert = judge.load("drawn-faces", device)
features = torch.nn.Sequential(*list(expert)[:-1])  # all but the last layer
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
    return judge.look(expert, images)[1] > 0


with torch.no_grad():
    w_all = torch.cat([G.mapping(part.to(device)).cpu() for part in z_all.split(BLOCK)])
spaces = {"z": z_all, "w": w_all}
has = marked(made(z_all, "z"))
share_of = has.float().mean(0)
usable = [i for i in range(len(expert.names)) if 0.05 < share_of[i] < 0.95]
print(f"{len(usable)} of {len(expert.names)} attributes are seen on 5 to 95 % of {N:,} generated faces")

# %% [markdown]
# **1. Linear separability.** If an attribute is a direction, a plane should part the vectors with it from those without. Fit one by least squares on two thirds, ask it about the rest, and compare with always giving the commoner answer.

# %%
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
print(f"w minus z, by attribute: mean {100 * gap.mean():+.1f} points, {int((gap > 0).sum())} of {len(gap)} above 0")

# %% [markdown]
# **2. Attributes moved and left alone.** As in lesson 05: a direction is the difference of means; move *other* latents along it; the attribute's own share should rise, all the others should stay. A step must be as long in W as in Z, though the two have other sizes: so each is measured in standard deviations of its own space along that direction.

# %%
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
    print(f"{expert.names[i]:22}{a:+6.0f} z {c:+5.0f} w{b:10.1f} z {d:5.1f} w{ratio['z'][-1]:8.1f} z {ratio['w'][-1]:4.1f} w")
print(f"mean ratio: z {sum(ratio['z']) / len(picked):.1f}, w {sum(ratio['w']) / len(picked):.1f}")

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
    print(f"{space}: agreement of random directions {values.mean():.2f}, from {values.min():.2f} to {values.max():.2f}")

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
# Four measures, one generator. Count for how many of them W did better *by more than chance shows here*, and say what you would need before you wrote "W is disentangled" in a report. (Another training of the same recipe, for one.)
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

# %%
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

# %%
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
    print(f"{expert.names[i]:22}" + "".join(f"{value:7.0f}" for value in table[i]) + f"{int(differ[:, i].sum()):9}")

# %% [markdown]
# An attribute high up in the table is decided by the layers up to 8 px; one whose share rises only in the last column belongs to fine layers. Shape first and colour last is what the papers show on photographs. Is it so here?
#
# ### Exercise 8.6 · Truncation
# Difficulty ●●○○○ · 10 minutes · why it matters: nearly every picture that you have seen from a StyleGAN was truncated, and papers do not always say so.
#
# Styles far from the mean are rare, and the generator has seen few of them. So draw all of them towards the mean style $\bar w$: $w' = \bar w + ψ\,(w - \bar w)$. With ψ = 1 nothing changes, with ψ = 0 there is one face. Return the pictures of `z`; the mean is over the styles of the latents in `many`.
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
# **Predict**: along ψ from 1 to 0.3, which of precision and recall rises, which falls? And the Fréchet distance, which sees both?

# %%
P = here.pick(ci=300, cpu=2_000, colab=3_000, full=5_000)
faces = portraits.draw(P, run.recipe.size, seed=1, progress=False)
real = judge.look(expert, faces.images)[0]
z_few, z_many = latent.draw(P, G.latent_dim, seed=24), latent.draw(2_000, G.latent_dim, seed=25).to(device)
curve, rows = {}, []
for psi in (0.3, 0.5, 0.7, 0.85, 1.0):
    with torch.no_grad():
        images = torch.cat([data.to_uint8(truncated(G, part.to(device), z_many, psi)).cpu() for part in z_few.split(BLOCK)])
    found = judge.look(expert, images)[0]
    precision, recall = (of(real, found).mean().item() for of in (metrics.precision, metrics.recall))
    curve[psi] = precision, recall, metrics.frechet_distance(real, found)
    rows.append(images[:8])
print(f"{P:,} pictures each\n psi  precision  recall  Fréchet distance, judge 1")
for psi, (precision, recall, distance) in curve.items():
    print(f"{psi:4.2f}{precision:11.2f}{recall:8.2f}{distance:12.2f}")
show.grid(torch.cat(rows), "Eight faces, one a column; from top to bottom psi is 0.3, 0.5, 0.7, 0.85 and 1.", columns=8)

# %%
figure, ax = show.new_figure(5, 3.4)
ax.plot([c[1] for c in curve.values()], [c[0] for c in curve.values()], marker="o", color=show.BLUE)
for psi, (precision, recall, _) in curve.items():
    ax.annotate(f" ψ {psi:g}", (recall, precision))
ax.set(xlabel="recall", ylabel="precision")
show.figure(
    figure,
    "Precision over recall for five truncations: "
    + "; ".join(f"psi {psi:g} precision {c[0]:.2f}, recall {c[1]:.2f}" for psi, c in curve.items())
    + ".",
)

# %% [markdown]
# Both in one place: how far towards the mean, and who styles which layers.

# %%
widgets.style_mixer(RUN, measured={psi: c[:2] for psi, c in curve.items()})

# %% [markdown]
# So one generator is many, and "precision 0.9" without its ψ says nothing. Two generators can be compared fairly only as *curves*: is there a ψ at which one has both, more precision and more recall, than the other?
#
# ## What to remember
#
# - A decade's recipe is short: a loss that ranks, two penalties, no normalisation, residual branches that begin as 0.
# - What a change is worth depends on the budget; at equal time a dearer step has to make up for lost images.
# - Modulation says which channels count; demodulation keeps the style from saying how loud.
# - W is a space that training shapes; whether it is straighter than Z is measured, each time.
# - Truncation buys precision with recall: ask for ψ.
#
# ## Ask yourself
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
# ## Where to read on
#
# - Tero Karras, Samuli Laine, Timo Aila, *A Style-Based Generator Architecture for GANs*, 2019, [arXiv:1812.04948](https://arxiv.org/abs/1812.04948): mapping, mixing, truncation, path length, separability.
# - Tero Karras and others, *Analyzing and Improving the Image Quality of StyleGAN*, 2020, [arXiv:1912.04958](https://arxiv.org/abs/1912.04958): modulation and demodulation, skips.
# - Yiwen Huang, Aaron Gokaslan, Volodymyr Kuleshov, James Tompkin, *The GAN is dead; long live the GAN!*, 2024, [arXiv:2501.05441](https://arxiv.org/abs/2501.05441): the modern recipe and its road.
# - Hongyi Zhang, Yann Dauphin, Tengyu Ma, *Fixup Initialization*, 2019, [arXiv:1901.09321](https://arxiv.org/abs/1901.09321): deep networks without normalisation.
