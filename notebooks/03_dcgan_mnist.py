# %% [markdown]
# # 03 · DCGAN: convolutions on digits and clothes
#
# > After it you can design a convolutional generator and discriminator for any size, and find a shape error on paper.
#
# {{badge}}
#
# **After this lesson you can**
#
# - work out the output size of any convolution and transposed convolution, and draw which pixel reaches which,
# - say in what sense the two are each other's transpose, and check it with a matrix,
# - find and mend the error in a published generator that makes 32 × 32 pictures instead of 28 × 28,
# - switch DCGAN's rules off one at a time and judge the result by numbers instead of by eye,
# - say where checkerboards come from, and why equal overlaps do not prevent them,
# - draw up a pair for a size that nobody has printed, and train it.
#
# | | two CPU cores | Colab T4 |
# |---|---|---|
# | minutes to run it all | about 3 | not measured yet |
# | minutes to read and solve it | about 120 | about 120 |
#
# Read first: lesson 02, for the training loop. You should have met convolutions before; their arithmetic is derived here.

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
import time

import torch
import torch.nn.functional as F
from torch import nn

from gan_course import (
    data,
    devices,
    judge,
    networks,
    patterns,
    profiles,
    recipes,
    runs,
    sampling,
    show,
    sizes,
    training,
    watch,
    widgets,
)
from gan_course.checks import lesson_03
from gan_course.gan import GAN

SEED = 0
here = profiles.current()
device = devices.default()
print(f"profile {here.name}: {here.about}; computing on {devices.name(device)}")

# %% [markdown]
# ## 1 · Sizes on paper
#
# The MLP of lesson 02 has no notion that two pixels are neighbours. A convolution has: each output looks at a small window of the input, and all windows share the same weights. What it costs you is arithmetic, because every layer changes the size of the picture, and both networks have to come out exactly right.
#
# Think along one axis; height and width behave alike. A layer has a **kernel** *k* (how wide the window is), a **stride** *s* (how far the window moves from one output to the next) and a **padding** *p* (zeros added at both ends).
#
# **Convolution.** With the padding the input is $n + 2p$ long. The first window takes up *k* of it, and every further one needs *s* more. What is left over at the end is not used:
#
# $$ \text{conv}(n) = \left\lfloor \frac{n + 2p - k}{s} \right\rfloor + 1 $$
#
# **Transposed convolution.** Here an input *writes* a window instead of reading one. Input number *j* writes to outputs $js, \dots, js + k - 1$, so the last one ends at $(n-1)s + k$. Then *p* outputs are cut off at both ends:
#
# $$ \text{transposed}(n) = (n - 1)\,s + k - 2p $$
#
# The picture below draws that. Blue squares are inputs, orange ones outputs, and a line means "this input reaches that output". The numbers below the outputs count their lines; the sliders change the layer.
#
# **Predict** before you move one: of a transposed convolution with kernel 4, how many inputs reach an output at stride 2, and what does stride 3 do to that? Which kernel and padding leave the size as it is at stride 1?

# %% slide="k4 s2 p1, transposed, doubles every size"
widgets.SizeCalculator(n=4, kernel=4, stride=2, padding=1)

# %% [markdown]
# Four outputs wide and three apart, two windows share one output: with stride 3 every third output inside has two lines, the others one. And at stride 1 an odd kernel *k* with padding (*k* − 1)/2 leaves the size as it is.
#
# One combination is worth knowing by heart: **k4 s2 p1** exactly halves every even size, and transposed it exactly doubles every size: $(n-1) \cdot 2 + 4 - 2 = 2n$. Nearly all of DCGAN is made of it.
#
# ### Exercise 3.1 · Both formulas
# Difficulty ●○○○○ · 5 minutes · why it matters: a network whose sizes you can compute is one you can change.
#
# Write both formulas as functions of whole numbers.
#
# <details><summary>Hint 1</summary>
#
# Where can the first window begin, and how many steps of *s* fit after it? For the transposed one: where does the last window end?
#
# </details>
# <details><summary>Hint 2</summary>
#
# `//` divides whole numbers and rounds down.
#
# </details>

# %%
def conv_size(n, kernel, stride, padding):
    """Output size of a convolution along one axis."""
    # solution
    return (n + 2 * padding - kernel) // stride + 1
    # end solution


def transposed_size(n, kernel, stride, padding):
    """Output size of a transposed convolution along one axis."""
    # solution
    return (n - 1) * stride + kernel - 2 * padding
    # end solution


# %%
lesson_03.exercise_1(conv_size, transposed_size)

# %% [markdown]
# ## 2 · Why it is called transposed
#
# A convolution is linear, so it is a matrix. Row *i* holds the kernel from column $is - p$ on, what falls outside is left out, and zeros stand everywhere else. Multiply a signal of 8 numbers by that of k4 s2 p1, and 4 come out.
#
# ### Exercise 3.2 · The matrix
# Difficulty ●●●○○ · 15 minutes · why it matters: once it is a matrix, there is nothing mysterious left in it.
#
# Build the matrix $C$ for a kernel (a tensor of its numbers), an input of length *n*, a stride and a padding, so that `C @ x` is the convolution of `x`; a torch tensor. Two ways lead there: put the kernel in its place in every row, or convolve the *n* signals that are 1 at one place and 0 elsewhere, and see which columns they are.
#
# <details><summary>Hint 1</summary>
#
# On paper first: the kernel (1, 2, 3), n = 5, stride 2, padding 1. Which rows does the matrix have?
#
# </details>
# <details><summary>Hint 2</summary>
#
# Start from `torch.zeros(conv_size(...), n)`. Entry *j* of the kernel belongs in row *i*, column `i * stride - padding + j`, if there is such a column (−1 is none, though Python takes it for the last).
#
# </details>
# <details><summary>Hint 3</summary>
#
# Or: `F.conv1d` of `torch.eye(n)[:, None]` gives a row for each signal; turn them into columns.
#
# </details>

# %%
def matrix_of(kernel, n, stride, padding):
    """The convolution of n numbers with a kernel as a matrix [outputs, n]."""
    # solution
    k = len(kernel)
    C = torch.zeros(int(conv_size(n, k, stride, padding)), n)
    for i in range(len(C)):
        for j in range(k):
            place = i * stride - padding + j
            if 0 <= place < n:  # the rest of the window lies in the padding
                C[i, place] = kernel[j]
    return C
    # end solution


# %%
lesson_03.exercise_2(matrix_of)

# %% [markdown]
# Now the point. Take the same kernel, and let PyTorch do a *transposed* convolution of 4 numbers. It is the multiplication by $C^\top$. (`x[None, None]` adds the two dimensions that PyTorch expects in front, pictures and channels.)

# %% slide="A transposed convolution multiplies by the transposed matrix"
# NBVAL_CHECK_OUTPUT
kernel = torch.tensor([1.0, 2.0, 3.0, 4.0])
x, y = torch.arange(8.0), torch.tensor([1.0, -1.0, 2.0, 0.5])
C = matrix_of(kernel, n=8, stride=2, padding=1).to(x)
print(*C.int().tolist(), sep="\n")
by_layer = F.conv1d(x[None, None], kernel[None, None], stride=2, padding=1).flatten()
print("convolution            = C x :", torch.equal(C @ x, by_layer))
by_layer = F.conv_transpose1d(y[None, None], kernel[None, None], stride=2, padding=1).flatten()
print("transposed convolution = Cᵀ y:", torch.equal(C.T @ y, by_layer))

# %% [markdown]
# Two things follow. A transposed convolution does **not** undo a convolution: $C^\top C$ is not the identity; only the sizes return, and they only where the division left no remainder (7 → 3 → 6). And backpropagation through $Cx$ multiplies the gradient by $C^\top$: *the backward pass of a convolution is a transposed convolution*, and the other way round. G and D are built from the same operation, run in opposite directions.
#
# ## 3 · A published network that does not fit
#
# The laboratory report whose MLP you trained in lesson 02 (*计算机学院 生成对抗网络实验报告*, appendix A.2) prints this generator: four transposed convolutions from 1 × 1 up, and a 3 × 3 convolution at the end. Its comments say that the sizes are 4, 7, 14 and 28. Here are its layers; the normalisation and activations between them change no size. **Find the error on paper first.**

# %% slide="A published generator comes out at 32 × 32, for pictures of 28 × 28"
# NBVAL_CHECK_OUTPUT
printed_G = nn.Sequential(
    nn.ConvTranspose2d(100, 512, 4, 1, 0),  # "4 x 4"
    nn.ConvTranspose2d(512, 256, 4, 2, 1),  # "7 x 7"
    nn.ConvTranspose2d(256, 128, 4, 2, 1),  # "14 x 14"
    nn.ConvTranspose2d(128, 64, 4, 2, 1),  # "28 x 28"
    nn.Conv2d(64, 1, 3, 1, 1),
)
for layer, shape in sizes.trace(printed_G, torch.randn(1, 100, 1, 1)):
    print(f"{layer:24s} {' × '.join(map(str, shape))}")
size = 1
for number, layer in enumerate([(4, 1, 0), (4, 2, 1), (4, 2, 1), (4, 2, 1)], 1):
    size = transposed_size(size, *layer)
    print(f"by your formula, layer {number}: {int(size)}")

# %% [markdown]
# k4 s2 p1 doubles: 4 becomes 8, not 7. The pictures come out at 32 × 32. And it does not stop there, because this discriminator, meant for 28 pixels, takes them without complaint:

# %% slide="One score for a real picture, four for a generated one"
# NBVAL_CHECK_OUTPUT
printed_D = nn.Sequential(
    nn.Conv2d(1, 64, 4, 2, 1),
    nn.Conv2d(64, 128, 4, 2, 1),
    nn.Conv2d(128, 256, 4, 2, 1),
    nn.Conv2d(256, 1, 3, 1, 0),
)
real, fake = torch.zeros(5, 1, 28, 28), printed_G(torch.randn(5, 100, 1, 1))
print("D of 5 real pictures:     ", tuple(printed_D(real).shape), "=", printed_D(real).numel(), "scores")
print("D of 5 generated pictures:", tuple(printed_D(fake).shape), "=", printed_D(fake).numel(), "scores")

# %% [markdown]
# One score for a real picture, **four** for a generated one. `output.view(-1)` turns them into 20 scores for 5 labels, and the loss stops with a shape error far from its cause. A mean over the score map would hide the error for good, and D could tell real from generated by what the zero padding does at 32 pixels and not at 28. (The course's own `Discriminator` takes that mean; at 28 pixels it is a mean over one number.)
#
# ### Exercise 3.3 · Mend it
# Difficulty ●●○○○ · 10 minutes · why it matters: you will do this whenever you take a network to another picture size.
#
# Give kernel, stride and padding of the four transposed convolutions so that the sizes really are 4, 7, 14, 28. Change as few as you can; there is more than one answer.
#
# <details><summary>Hint 1</summary>
#
# Which of the four layers are right as they stand? Your `transposed_size` says.
#
# </details>
# <details><summary>Hint 2</summary>
#
# The second layer has to make 7 of 4: solve $(4-1)\,s + k - 2p = 7$ for whole numbers, with stride 2.
#
# </details>

# %%
def mend():
    """(kernel, stride, padding) of four layers: 1 → 4 → 7 → 14 → 28."""
    # solution
    return [(4, 1, 0), (3, 2, 1), (4, 2, 1), (4, 2, 1)]
    # end solution


# %%
lesson_03.exercise_3(mend)

# %% [markdown]
# Exchange the layers for yours, and D gives every generated picture one score:

# %%
# NBVAL_CHECK_OUTPUT
channels = (100, 512, 256, 128, 64)
upwards = [nn.ConvTranspose2d(a, b, *map(int, layer)) for a, b, layer in zip(channels, channels[1:], mend())]
fake = nn.Sequential(*upwards, printed_G[-1])(torch.randn(5, 100, 1, 1))
print("mended G:", tuple(fake.shape), "  D of them:", tuple(printed_D(fake).shape))

# %% [markdown]
# The course's network `dcgan-fashion` is this one, mended, with everything between the layers. Follow both halves down the page; D's sizes round down at 7 → 3.

# %%
# NBVAL_CHECK_OUTPUT
G, D = networks.build("dcgan-fashion", channels=1, size=28)
for name, network, x in (("G", G, torch.randn(1, 100)), ("D", D, torch.zeros(1, 1, 28, 28))):
    shapes = [shape for layer, shape in sizes.trace(network, x) if layer.startswith("Conv")]
    print(name, " → ".join("×".join(map(str, shape)) for shape in shapes))
    print(f"  {networks.count_parameters(network):,} weights")

# %% [markdown]
# ## 4 · A judge
#
# To compare networks we need something better than "looks sharper". Train a small classifier on the real digits, and ask it about generated ones. Look at four numbers. **Confidence**: how sure is it of the class it sees? A smudge that is half a 3 and half an 8 scores low. **Balance**: how evenly are the classes spread, from 1/10 (one class only) to 1 (all equally often)? In numbers: the exponential of the entropy of the classes' shares, over ten. Besides, the share of pictures of which it is at least 90 % *sure*, and the share of the *rarest class*. This is the idea of the inception score (Salimans et al., 2016), with a network that knows digits.
#
# The second line below says how far the judge can be trusted; the third is what *real* test digits get from it, and so what a perfect generator would.

# %%
digits, unseen = data.load("mnist", device=device), data.load("mnist", split="test", device=device)
print(digits.source)
digit_judge = judge.train(digits, epochs=here.pick(ci=1, cpu=1, colab=2, full=2))
judge_accuracy = judge.accuracy(digit_judge, unseen)
print(f"the judge names {judge_accuracy:.1%} of the unseen real digits rightly")
print("real digits:", judge.verdict(digit_judge, unseen.images).line())

# %% [markdown]
# Now the course's published DCGAN for digits: the network above at a quarter of its width and with no Dropout in D, trained on 600,000 pictures of MNIST (ten epochs).

# %% slide="Most digits of the published DCGAN can be read"
published = runs.find("quick-digits")
generated = sampling.sample(published.generator(device), 10_000, seed=1)
ten_epochs = judge.verdict(digit_judge, generated)
print(f"after {published.card['images']:,} images, {published.card['seconds']:.0f} s on {published.card['device']}")
print("generated:", ten_epochs.line())
show.grid(generated[:48], "48 handwritten digits made by the published DCGAN; most of them can be read.", columns=16)

# %% [markdown]
# A warning before we lean on it. The judge only knows ten classes. It will call noise *something*, sometimes with confidence, and it cannot see that two pictures are the same.
#
# ## 5 · First weights that are really called
#
# Radford, Metz and Chintala (2016), who made convolutional GANs work, start all convolutions from a normal distribution with mean 0 and standard deviation 0.02. The report's networks call the function that does it in their constructor; the tutorial of lesson 04 calls it once for each network. Leave that one line out, and PyTorch does not complain: every layer has weights already, its own default.
#
# ### Exercise 3.4 · Initialise
# Difficulty ●●○○○ · 15 minutes · why it matters: nothing fails when it is missing. The pictures are only worse, or not.
#
# Write a function that gives a whole network its first weights, in place: convolutions and *transposed* convolutions N(0, 0.02); BatchNorm's weights N(1, 0.02), its biases 0. Layers may contain layers: `network.modules()` walks through all of them, `network.apply(f)` calls *f* on each.
#
# <details><summary>Hint 1</summary>
#
# What kinds of layers are there, and how do you tell them apart? `isinstance(layer, nn.Conv2d)` is false for a transposed one.
#
# </details>
# <details><summary>Hint 2</summary>
#
# `nn.init.normal_(layer.weight, mean, std)` and `nn.init.zeros_(layer.bias)` change a layer in place; `isinstance` takes a tuple of classes, too.
#
# </details>

# %%
def initialise(network):
    """DCGAN's first weights for every layer of a network, in place."""
    # solution
    for layer in network.modules():
        if isinstance(layer, (nn.Conv2d, nn.ConvTranspose2d)):
            nn.init.normal_(layer.weight, 0.0, 0.02)
        elif isinstance(layer, nn.BatchNorm2d):
            nn.init.normal_(layer.weight, 1.0, 0.02)
            nn.init.zeros_(layer.bias)
    # end solution


# %%
lesson_03.exercise_4(initialise)

# %% [markdown]
# ## 6 · DCGAN's rules, switched off one at a time
#
# The paper gives a list of rules for convolutional GANs. Rules that are handed on for years deserve a test:
#
# - BatchNorm in both networks, except G's last layer and D's first,
# - strides instead of pooling,
# - LeakyReLU in D (ReLU in G),
# - Adam with `betas[0]`, how slowly it forgets old gradients, at 0.5 instead of 0.9,
# - first weights from N(0, 0.02).
#
# To switch a rule off, exchange the layers that obey it in the finished network:

# %%
def swap(network, kind, new):
    """Exchange every layer of a kind for `new(layer)`, layers inside layers included."""
    for name, layer in network.named_children():
        if isinstance(layer, kind):
            setattr(network, name, new(layer))
        else:
            swap(layer, kind, new)


def pooled(conv):
    """A convolution with stride 2 as one with stride 1 and a maximum over 2 × 2 pixels."""
    if conv.stride != (2, 2):
        return conv
    flat = nn.Conv2d(conv.in_channels, conv.out_channels, 3, 1, 1, bias=False)
    return nn.Sequential(flat, nn.MaxPool2d(2))


def without(rule):
    """The recipe and the pair of networks with one of the rules switched off."""
    recipe = recipes.get("quick-digits").but(network="dcgan-fashion", average_half_life=2_000).at(here)
    G, D = recipe.build()
    if rule == "BatchNorm":
        swap(G, nn.BatchNorm2d, lambda layer: nn.Identity())
        swap(D, nn.BatchNorm2d, lambda layer: nn.Identity())
    elif rule == "strides in D":
        swap(D, nn.Conv2d, pooled)
    elif rule == "LeakyReLU in D":
        swap(D, nn.LeakyReLU, lambda layer: nn.ReLU())
    elif rule == "decay 0.5":
        recipe = recipe.but(betas=(0.9, 0.999))
    elif rule == "N(0, 0.02)":
        recipe = recipe.but(init="pytorch")
    return recipe, (G, D)


# %% [markdown]
# **Predict:** which rule is missed most? Here is the complete set beside the one without BatchNorm, from the same seed.

# %%
until = here.pick(ci=40, cpu=1_250, colab=2_500, full=2_500)
blocks, verdicts = {}, {}
for rule in ("no rule", "BatchNorm"):
    recipe, pair = without(rule)
    gan = GAN(recipe, seed=SEED, device=device, networks=pair)
    for _ in training.train(gan, digits.images, until):
        pass
    made = sampling.sample(gan.average, 2_000, seed=1)
    verdicts[rule] = judge.verdict(digit_judge, made)
    blocks["all rules" if rule == "no rule" else f"without {rule}"] = made[:48]
    print(f"{rule} switched off: {verdicts[rule].line()}")
show.beside(
    blocks,
    f"Digits with all rules, and without BatchNorm, after {gan.images:,} training pictures.",
    columns=8,
)

# %% [markdown] slide="Two rules carry weight: Adam's decay of 0.5, and BatchNorm"
# (Here D has its Dropout, as the report prints it.) One run is an anecdote: with another seed, even with another number of threads (sums in another order), the second line comes out differently. Here is every rule over three seeds, 80,000 pictures each: the same cell with `until = 2_500`, about a minute and a half a run on one core. *Confidence* is the judge's mean over 2,000 generated digits, from the lowest to the highest of the three runs. (Your cell is one more seed, as long as your profile allows.)
#
# | switched off | confidence after 20,000 | after 80,000 | balance after 80,000 |
# |---|---|---|---|
# | nothing | 0.55 to 0.58 | 0.85 to 0.86 | 0.98 |
# | BatchNorm | 0.43 to 0.75 | **0.54** to 0.80 | **0.23** to 0.93 |
# | decay 0.5 (0.9 instead) | 0.42 to 0.66 | **0.57 to 0.71** | **0.63 to 0.78** |
# | LeakyReLU in D (ReLU) | 0.68 to 0.71 | 0.87 to 0.88 | 0.98 to 0.99 |
# | strides in D (maximum) | 0.78 to 0.80 | 0.86 | 0.96 to 0.98 |
# | N(0, 0.02) (PyTorch's own) | 0.68 to 0.70 | 0.84 to 0.85 | 0.98 to 0.99 |
#
# Two rules carry weight: the decay of 0.5, missed in all three runs, and BatchNorm, without which one of the three runs collapsed to a few digits and the others lag. The other three are not missed *here*; without them the first digits even come sooner. Two of the rows switch off more than their name: without BatchNorm no layer has a bias left, and a convolution at stride 1 before a maximum costs 2.25 times the operations of the k4 s2 that it replaces. And it is a statement about small digits, a narrow network and a short run, not about GANs. But it shows what a rule is worth before it has been tested where you want to use it: you do not know.
#
# **Predict** before you read on: the rule about first weights made no difference after 80,000 pictures. Which layer makes up for bad ones?
#
# <details><summary>Answer</summary>
# BatchNorm. It divides every channel by its spread, so a factor on the weights before it changes nothing in what comes out (only how fast Adam's steps, which have a fixed size, turn them). The layers that it does not follow, G's last and D's first and last, feel their first size.
# </details>
#
# ## 7 · Least squares, and batches of four
#
# Notes on MNIST, headed *DCGAN网络（CNN_GAN）* ("DCGAN network"), train a DCGAN in their own way (recipe `dcgan-mnist`): no sigmoid and no cross-entropy, but **least squares** (Mao et al., 2017). D's output *l*, which is no logit any more, is pulled to 1 for real pictures and to 0 for generated ones; G pulls it to 1:
#
# $$ L_D = \operatorname{E}\,(l_{\text{real}} - 1)^2 + \operatorname{E}\,l_{\text{fake}}^2, \qquad L_G = \operatorname{E}\,(l_{\text{fake}} - 1)^2 . $$
#
# Compare how hard each objective pushes a single generated picture for which D puts out *l*: the derivative of $L_G$ is $2(l-1)$ here, and $σ(l) - 1$ for the non-saturating cross-entropy. The push of cross-entropy is never more than 1, and it ends where D is fooled. Least squares pushes harder the further *l* lies from 1, *on either side*: a picture that D finds far too real is pulled back. (An *l* of 1 is not the same for both: cross-entropy reads it as a probability of 0.73, least squares as "real".)

# %% slide="Least squares pulls back what D finds too real; cross-entropy never does"
score = torch.linspace(-4, 4, 200)
figure, axes = show.new_figure(7, 3.2)
axes.plot(score, 1 - torch.sigmoid(score), color=show.PINK, label="cross-entropy: 1 − σ(l)")
axes.plot(score, 2 * (1 - score), color=show.GREEN, label="least squares: 2(1 − l)")
axes.axhline(0, color=show.GREY, lw=1)
axes.set(xlabel="D's output l for a generated picture", ylabel="push upwards", ylim=(-4, 10))
axes.legend(loc="upper right")
show.figure(
    figure,
    "Push on a generated picture over its score: cross-entropy falls from 1 to 0 and never changes sign; "
    "least squares falls along a straight line through zero at score 1 and pulls back beyond it.",
)

# %% [markdown]
# The notes also take their pictures **four at a time**, with a learning rate of 0.00001 for D. Count what that costs before any question of quality: the same network, the same loop, two batch sizes.

# %% slide="Batches of four: the same arithmetic a picture, and far fewer pictures a second"
notes = recipes.get("dcgan-mnist").at(here)
speeds = {}
for batch in (4, 64):
    gan = GAN(notes.but(batch=batch), seed=SEED, device=device)
    for _ in training.train(gan, digits.images, 5, progress=False):
        pass
    until = 5 + here.pick(ci=5, cpu=60, colab=200, full=200)
    begin, seen = time.perf_counter(), gan.images
    for _ in training.train(gan, digits.images, until, progress=False):
        pass
    speeds[batch] = (gan.images - seen) / (time.perf_counter() - begin)
    print(f"batch {batch:2d}: {speeds[batch]:,.0f} images/s")

# %% [markdown]
# The arithmetic per picture is the same. With four pictures the processor is occupied with everything around it: starting operations, and moving all the weights through Adam for every four pictures.
#
# Is it the objective, then, that makes the difference? Exchange only that in the recipe of the ablation, and the judge's confidence after 80,000 pictures is 0.83 to 0.84 over three seeds with least squares, against 0.85 to 0.86 with cross-entropy. And the whole recipe of the notes, its loop rewritten with a `DataLoader` and given the same wall time as the DCGAN of the ablation, on one core:
#
# | in 593 seconds | pictures seen | confidence | 90 % sure | balance | rarest class |
# |---|---|---|---|---|---|
# | batches of 4, D's rate 0.00001, least squares | 64,072 | 0.73 | 30 % | 0.73 | 0.7 % |
# | batches of 32, both rates 0.0005, cross-entropy | 600,000 | 0.93 | 79 % | 1.00 | 8.5 % |
#
# (10,000 samples each, one run each, by a judge that is right on 99.2 % of unseen digits and is 97 % sure of real ones.) After five minutes nine of ten pictures of the notes' recipe were eights. At this pace their twenty epochs take three hours, for reasons that have nothing to do with squares.
#
# ## 8 · Clothes: the MLP beside the DCGAN
#
# The same quarter-width DCGAN, without Dropout, learns FashionMNIST. It starts from noise here, and the picture is redrawn while it trains.

# %%
garments = data.load("fashion-mnist", device=device)
recipe = recipes.get("quick-clothes").but(precision="auto").at(here)
gan = GAN(recipe, seed=SEED, device=device)
until = here.pick(ci=40, cpu=1_500, colab=9_000, full=37_500)
live = watch.LiveTraining(goal=until * recipe.batch)
for _ in training.train(gan, garments.images, until):
    live.update(gan)

# %% [markdown]
# Beside it, the MLP of lesson 02 after three million pictures.

# %% slide="The MLP errs in single pixels, the DCGAN in whole pieces"
mlp = runs.find("mlp-fashion")
by_mlp = sampling.sample(mlp.generator(device), 2_000, seed=1)
by_dcgan = sampling.sample(gan.average, 2_000, seed=1)
blocks = {"real": garments.images[:36], "MLP GAN": by_mlp[:36], "DCGAN": by_dcgan[:36]}
show.beside(
    blocks,
    "Garments in three blocks: real; by the MLP GAN, grainy; by the DCGAN of this lesson, as far as it has come.",
)

# %%
fashion_judge = judge.train(garments, epochs=here.pick(ci=1, cpu=1, colab=2, full=2))
by_name = {"MLP": mlp.recipe.build()[0], "DCGAN": gan.G}
weights = {name: networks.count_parameters(G) for name, G in by_name.items()}
for name, images in (("real", garments.images[:2_000]), ("MLP", by_mlp), ("DCGAN", by_dcgan)):
    known = f"   {weights[name]:,} weights in G" if name in weights else ""
    verdict = judge.verdict(fashion_judge, images)
    print(f"{name:6s} {verdict.line()} ({garments.classes[verdict.shares.argmin()]}){known}")

# %% [markdown] slide="Picture for picture the full DCGAN learns more; second for second is another count"
# (The MLP makes few trousers, as lesson 02 counted.) The cell compares unequal things: a short run with a long one. Here is what the report compares, its own two recipes (batches of 64, labels 0.9 / 0.1, one step of G for two of D), each after 120,000 pictures on one core:
#
# | | weights in G | seconds | confidence | 90 % sure | balance |
# |---|---|---|---|---|---|
# | real test garments | | | 0.88 | 66 % | 0.99 |
# | MLP, three seeds | 1,489,936 | 66 to 84 | 0.69 to 0.71 | 24 to 29 % | 0.86 to 0.94 |
# | DCGAN at full width, one seed | 2,656,704 | 999 | 0.74 | 34 % | 0.97 |
# | DCGAN at a quarter of the width, three seeds | 320,112 | 85 to 88 | 0.63 to 0.68 | 16 to 23 % | 0.94 to 0.95 |
#
# Picture for picture the full DCGAN learns more, in this one run. Second for second is another count, on a CPU: in its 999 seconds the MLP sees more than a million pictures (nobody measured here where it stands then), and the small DCGAN, which takes about as long as the MLP with a fifth of its weights, is less sure and as even. The report calls the DCGAN faster to converge (section 4.4); counted in pictures this table agrees, counted in seconds on a CPU it shows no such thing.
#
# Compare the last row with your own run above, too: the same network in another recipe (`quick-clothes`: no Dropout in D, labels 1 and 0, a step of G for every step of D, batches of 32, rates of 0.0005). At profile `cpu` it has seen 48,000 pictures, and in the run recorded with this lesson it is nevertheless ahead of all three seeds of that row. A recipe can weigh more than a network.
#
# Numbers aside, look at the shapes. The MLP's garments have the right outline and are peppered with single wrong pixels, because nothing tells it that neighbours belong together. The DCGAN's, once it has trained for a minute or more, are smooth, and where it fails it fails in whole pieces: a sleeve too many, half a shoe.
#
# ## 9 · Checkerboards
#
# The MNIST notes say that transposed convolutions *avoid* checkerboard artefacts. The common finding is the opposite (Odena, Dumoulin and Olah, 2016). You can decide it yourself, by counting: how many inputs write to each output? Where neighbours get unequal numbers, the spread of their values differs before a single weight has been learnt.

# %% slide="k3 s2 covers its outputs unevenly"
widgets.connections(7, 3, 2, 1, transposed=True)

# %% [markdown]
# ### Exercise 3.5 · Count the overlaps
# Difficulty ●●○○○ · 10 minutes · why it matters: from three numbers you see what a layer does before it has learnt anything.
#
# Input *j* writes to outputs $js, \dots, js + k - 1$. Count, for padding 0, how many inputs write to each output.
#
# <details><summary>Hint 1</summary>
#
# Draw it for 3 inputs, kernel 3, stride 2: which outputs does each input write to?
#
# </details>
# <details><summary>Hint 2</summary>
#
# Begin with zeros, `transposed_size(n, kernel, stride, 0)` of them, and add 1 to a slice for every input.
#
# </details>

# %%
def overlaps(n, kernel, stride):
    """Inputs that write to each output of a transposed convolution along one axis, padding 0: a 1-D tensor."""
    # solution
    counts = torch.zeros(int(transposed_size(n, kernel, stride, 0)), dtype=torch.int64)
    for j in range(n):
        counts[j * stride : j * stride + kernel] += 1
    return counts
    # end solution


# %%
lesson_03.exercise_5(overlaps)

# %%
# NBVAL_CHECK_OUTPUT
def overlaps_after_cutting(k, s, p):
    """Your counts for 8 inputs, without the p outputs that padding cuts off at either end."""
    counts = torch.as_tensor(overlaps(8, k, s)).cpu().double()
    return counts[p : len(counts) - p]


for k, s, p in ((4, 2, 1), (3, 2, 1), (5, 3, 1)):
    print(f"k{k} s{s} p{p}:", *overlaps_after_cutting(k, s, p).int().tolist())

# %% [markdown]
# Where the stride divides the kernel (k4 s2) the counts are equal inside, and only the edge gets less. Where it does not (k3 s2, and the k5 s3 that a 96-pixel network of lesson 04 ends in) they alternate.
#
# Predicted from this alone: with independent random weights and inputs, the variance of an output is proportional to the number of terms in its sum, so in two dimensions to the *product* of the two counts. Let fresh random layers confirm it.

# %% slide="Unequal counts make unequal variances before a weight is learnt"
def variance_map(kernel, stride, padding, n=8, draws=400):
    """Variance of every output of freshly drawn layers with one output channel, for random inputs."""
    torch.manual_seed(SEED)
    layers = nn.ConvTranspose2d(16, draws, kernel, stride, padding, bias=False)
    nn.init.normal_(layers.weight, 0, 0.02)
    with torch.no_grad():
        return layers(torch.randn(64, 16, n, n)).var(dim=(0, 1))


figure, axes = show.new_figure(9, 3.3, ncols=3)
worst = {}
for ax, (k, s, p) in zip(axes, ((4, 2, 1), (3, 2, 1), (5, 3, 1))):
    found = variance_map(k, s, p)
    counts = overlaps_after_cutting(k, s, p)
    predicted = counts[:, None] * counts[None] * 16 * 0.02**2
    worst[k, s] = (found / predicted - 1).abs().mean().item()
    ax.imshow(found, cmap="gray", vmin=0)
    ax.set(title=f"k{k} s{s} p{p}", xticks=[], yticks=[])
    ax.grid(False)
    print(f"k{k} s{s}: variance is {worst[k, s]:.1%} off the predicted one on average over all pixels")
show.figure(
    figure,
    "Variance of untrained transposed convolutions by pixel. k4 s2: even inside, darker at the edge. "
    "k3 s2: a fine checkerboard. k5 s3: broad bright and narrow dark stripes in both directions.",
)

# %% [markdown]
# So k4 s2, which nearly all of DCGAN is made of, should be free of checkerboards. How strong is one, in a number? A Fourier transform writes a picture as a sum of waves; their squared heights add up to the picture's *power*. A checkerboard or stripes of period 2 (bright, dark, bright, dark) are a few of those waves, and `patterns.periodic_power` says which share of the power they hold. Noise without any pattern has about 2/28 = 7 %.
#
# **Predict** before you run the next cell: which share has an untrained layer's output? Three layers that double the size: k4 s2, k3 s2, and one that enlarges every pixel to 2 × 2 and convolves afterwards. The inputs come out of a ReLU, as they do in a generator.
#
# (`output_padding=1` gives k3 s2 one output more at the end, so that all three come out at 28.)

# %% slide="Transposed layers start with a grid; enlarging and convolving does not"
doubling = {
    "k4 s2": lambda: nn.ConvTranspose2d(64, 1, 4, 2, 1, bias=False),
    "k3 s2": lambda: nn.ConvTranspose2d(64, 1, 3, 2, 1, output_padding=1, bias=False),
    "enlarge, convolve": lambda: nn.Sequential(nn.Upsample(scale_factor=2), nn.Conv2d(64, 1, 3, 1, 1, bias=False)),
}
alternating, examples = {}, {}
for name, make in doubling.items():
    found = []
    for seed in range(5):
        torch.manual_seed(seed)
        layer, features = make(), torch.randn(64, 64, 14, 14).relu()
        for weight in layer.parameters():
            nn.init.normal_(weight, 0, 0.02)
        with torch.no_grad():
            made = layer(features)
        found.append(patterns.periodic_power(data.to_uint8(made.tanh()), period=2))
    alternating[name] = sorted(found)[2]
    stretched = 2 * (made[:2] - made[:2].min()) / (made[:2].max() - made[:2].min()) - 1
    examples[f"{name}: {found[-1]:.1%}"] = F.interpolate(data.to_uint8(stretched), scale_factor=4)  # pixels to see
    print(f"{name:18s} {alternating[name]:5.1%} of the power (median of 5 draws, {min(found):.1%} to {max(found):.1%})")
show.beside(
    examples,
    "Two outputs of each untrained layer, stretched to black and white: those of k4 s2 and k3 s2 are covered by "
    "stripes or a grid one pixel fine; enlarging and convolving gives patches without any.",
    columns=2,
)

# %% [markdown]
# The counts were not the whole story. k4 s2 covers its outputs evenly and alternates *more* than k3 s2. Look at the weights instead of the counts: even and odd outputs of a stride-2 layer are made with **different** weights of the kernel. After a ReLU no input is negative, so a sum over many of them is mostly the sum of the weights, and that differs between the four kinds of output (even or odd, across and down), the same everywhere in the picture. A layer that enlarges first and convolves at stride 1 uses one set of weights for all outputs, and has nothing to alternate with.
#
# So there are two causes: unequal counts, and unequal weights. That is where a generator *starts*. Training can make the weights agree, because D sees the pattern. Did it?

# %% slide="D has taught most of the grid away"
recipe = recipes.get("quick-digits").at(here)
fresh = sampling.sample(GAN(recipe, seed=SEED, device=device).G.eval(), 500, seed=1)
shares = {
    "real digits": patterns.periodic_power(digits.images[:2_000], period=2),
    "DCGAN before training": patterns.periodic_power(fresh, period=2),
    "DCGAN after 600,000 digits": patterns.periodic_power(generated[:2_000], period=2),
    "real garments": patterns.periodic_power(garments.images[:2_000], period=2),
    "MLP after 3,000,000 garments": patterns.periodic_power(by_mlp, period=2),
}
for name, share in shares.items():
    print(f"{name:30s} {share:.3%} of the power alternates")

# %% [markdown]
# Untrained, the DCGAN alternates more than noise would; after ten epochs little is left above what real digits have. So the notes' claim is wrong as it stands: transposed convolutions do not avoid the pattern, they start with it, and here D has taught most of it away. How much stays elsewhere has to be measured; lesson 04 does so at 96 and 128 pixels.
#
# ## 10 · A pair of your own
#
# ### Exercise 3.6 · 48 × 48
# Difficulty ●●●●○ · 30 minutes · why it matters: nobody has printed the network for your pictures.
#
# Design a convolutional G and D for grey pictures of 48 × 48, on paper first: which sizes does each pass through? G takes z [N, 100] and makes [N, 1, 48, 48] in −1 … 1; D takes such pictures and gives one logit each, [N]. At most 1,000,000 weights each, so that two minutes teach them something; which of section 6's rules you follow is your choice. The check follows the sizes, looks at what comes out, and whether D reads every pixel, and makes a training step with the pair.
#
# <details><summary>Hint 1</summary>
#
# How often can 48 be halved, and what remains? That is where G starts after its first layer, and where D ends before its last.
#
# </details>
# <details><summary>Hint 2</summary>
#
# 48 = 3 · 2⁴. A first layer k3 s1 p0 makes 3 × 3 of 1 × 1, then k4 s2 p1 doubles four times. D goes the same way back. `nn.Unflatten(1, (100, 1, 1))` begins G, `nn.Flatten(0)` ends D.
#
# </details>
# <details><summary>Hint 3</summary>
#
# A step upwards: `nn.ConvTranspose2d(128, 64, 4, 2, 1, bias=False), nn.BatchNorm2d(64), nn.ReLU()`; downwards `nn.Conv2d` and `nn.LeakyReLU(0.2)`. G's last activation is `nn.Tanh()`; D has none at the end.
#
# </details>

# %%
def pair_48():
    """A convolutional (G, D) for pictures [N, 1, 48, 48] and latents [N, 100]."""
    # solution
    def up(a, b, kernel=4, stride=2, padding=1):
        return nn.ConvTranspose2d(a, b, kernel, stride, padding, bias=False), nn.BatchNorm2d(b), nn.ReLU()

    def down(a, b):
        return nn.Conv2d(a, b, 4, 2, 1, bias=False), nn.BatchNorm2d(b), nn.LeakyReLU(0.2)

    G = nn.Sequential(
        nn.Unflatten(1, (100, 1, 1)),
        *up(100, 128, 3, 1, 0),  # 3 × 3
        *up(128, 64),  # 6 × 6
        *up(64, 32),  # 12 × 12
        *up(32, 16),  # 24 × 24
        nn.ConvTranspose2d(16, 1, 4, 2, 1),  # 48 × 48
        nn.Tanh(),
    )
    D = nn.Sequential(
        nn.Conv2d(1, 16, 4, 2, 1),  # 24 × 24, without BatchNorm
        nn.LeakyReLU(0.2),
        *down(16, 32),  # 12 × 12
        *down(32, 64),  # 6 × 6
        *down(64, 128),  # 3 × 3
        nn.Conv2d(128, 1, 3, 1, 0),  # 1 × 1
        nn.Flatten(0),
    )
    return G, D
    # end solution


# %%
lesson_03.exercise_6(pair_48)

# %% [markdown]
# Now train it, from first weights by your own `initialise`, on digits that are enlarged to 48 pixels. The rates and the batch are those of `quick-digits`.

# %%
large = F.interpolate(digits.images[:20_000].float(), 48, mode="bilinear").round().to(torch.uint8)
recipe = recipes.get("quick-digits").but(network="mlp", size=48)  # for any size; your pair takes its place
gan = GAN(recipe, seed=SEED, device=device, networks=pair_48())
initialise(gan.G)
initialise(gan.D)
until = here.pick(ci=15, cpu=1_200, colab=6_000, full=12_000)
live = watch.LiveTraining(goal=until * recipe.batch)
for _ in training.train(gan, large, until):
    live.update(gan)

# %% [markdown]
# The judge knows 28 pixels; so shrink what yours makes, and, for a fair comparison, the enlarged real ones.

# %%
def shrunk(images):
    return data.to_uint8(F.interpolate(data.to_signed(images.cpu()), 28, mode="bilinear", antialias=True))


by_yours = sampling.sample(gan.average, 2_000, seed=1)
for name, images in (("real", large[:2_000]), ("yours", by_yours)):
    print(f"{name:5s} {judge.verdict(digit_judge, shrunk(images)).line()}")
    print(f"      {patterns.periodic_power(images, period=2):.2%} of the power alternates")

# %% [markdown]
# Do not expect section 4's digits of so short a run. What tells a good design from a bad one is what you have met in this lesson: does training start at all, does a grid stay, is a class missing? Change one thing (pooling, a wider first layer, enlarging instead of transposing) and compare, over seeds.

# %% tags=["showed"]
print(f"digits after ten epochs: {ten_epochs.line()};")
print(f"batch 64 is {speeds[64] / speeds[4]:.1f} times as fast as batch 4; overlaps predict the variance of")
print(f"untrained layers within {max(worst.values()):.1%} on average; yet k4 s2 alternates with {alternating['k4 s2']:.0%} of its power")

# %% [markdown]
# ## What to remember
#
# - A convolution reads $\lfloor (n + 2p - k)/s \rfloor + 1$ windows; a transposed one writes $(n-1)s + k - 2p$ pixels; k4 s2 p1 halves and doubles.
# - As matrices they are $C$ and $C^\top$, so each is the other's backward pass.
# - A wrong size in G can surface as a wrong *number of scores* from D, or be hidden by a mean.
# - Test rules by switching them off one at a time, over seeds, with a number you trust a little.
# - A transposed convolution starts with a checkerboard, from unequal counts and unequal weights; training has to learn it away.
#
# ## Ask yourself
#
# <details><summary>Why does a layer that BatchNorm follows need no bias?</summary>
# BatchNorm subtracts the mean of every channel, and the bias with it. Its own shift does the bias's work.
# </details>
#
# <details><summary>D returns a map of 2 × 2 scores and the code takes the mean. Everything runs. What is wrong?</summary>
# Perhaps nothing, if real and generated pictures have the same size. If they have not, D can tell them apart by their size, and G cannot do anything about it.
# </details>
#
# <details><summary>A judge is 99 % sure of every generated digit, and the balance is 0.1. What happened?</summary>
# G makes one class only: mode collapse. Whether it makes it well, this judge cannot say.
# </details>
#
# ## Where to read on
#
# - Alec Radford, Luke Metz, Soumith Chintala, *Unsupervised Representation Learning with Deep Convolutional GANs*, 2016, [arXiv:1511.06434](https://arxiv.org/abs/1511.06434): the rules are in section 3.
# - Vincent Dumoulin, Francesco Visin, *A Guide to Convolution Arithmetic for Deep Learning*, 2016, [arXiv:1603.07285](https://arxiv.org/abs/1603.07285): every case drawn.
# - Augustus Odena, Vincent Dumoulin, Chris Olah, *Deconvolution and Checkerboard Artifacts*, 2016, Distill, [doi:10.23915/distill.00003](https://doi.org/10.23915/distill.00003).
# - Xudong Mao et al., *Least Squares Generative Adversarial Networks*, 2017, [arXiv:1611.04076](https://arxiv.org/abs/1611.04076).
# - Tim Salimans et al., *Improved Techniques for Training GANs*, 2016, [arXiv:1606.03498](https://arxiv.org/abs/1606.03498): the inception score.
