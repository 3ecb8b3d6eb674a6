# %% [markdown]
# # 00 · Start here
#
# > After it you can run the course on the machine in front of you, draw pictures nobody has seen before, and train a network that learns to write digits out of noise.
#
# {{badge}}
#
# **After this lesson you can**
#
# - run every lesson of this course, on a laptop or on Colab, and say where its pictures come from,
# - draw new pictures from a trained generator, and draw the same ones again,
# - walk from one generated picture to another,
# - train a GAN, read the three panels that every lesson shows while training, and ask whether it has learnt its pictures by heart.
#
# | | two CPU cores | Colab T4 |
# |---|---|---|
# | minutes to run it all | about 1 | not measured yet |
# | minutes to read and solve it | about 60 | about 60 |
#
# Read first: nothing. You need some Python, and to have seen a PyTorch tensor. Words that are new are explained where they come up; the glossary at the end of this lesson holds those of all lessons.

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

from gan_course import data, devices, profiles, recipes, runs, sampling, show, training, watch
from gan_course.checks import lesson_00
from gan_course.gan import GAN

SEED = 0
here = profiles.current()
device = devices.default()
print(f"profile {here.name}: {here.about}; computing on {devices.name(device)}")

# %% [markdown]
# That line tells you how big everything will be. A lesson runs at one of four *profiles*: `ci` (a quick check that every line works), `cpu` (a laptop), `colab` (one small GPU) or `full` (as long as the original authors trained). The course picks one for your machine; the environment variable `GAN_COURSE_PROFILE` overrules it.
#
# ## 1 · Pictures that did not exist a second ago
#
# The course comes with networks that are trained already. This one has seen clothes:

# %% slide="A generator turns lists of 100 random numbers into pictures"
clothes = runs.find("mlp-fashion")
G = clothes.generator(device)
show.grid(
    sampling.sample(G, 40, seed=SEED),
    "40 generated pictures of clothes, slightly blurred: most are tops or shoes, some dark and shapeless.",
    columns=10,
)

# %% [markdown]
# None of these is a photograph. A network `G`, the **generator**, was handed 40 lists of 100 random numbers and turned each into a picture. Such a list is called a **latent vector**, and the whole of what you have just run is three steps:
#
# 1. draw `z`, 100 numbers from a normal distribution,
# 2. compute `G(z)`, 28 × 28 numbers between −1 and 1,
# 3. show −1 as black and 1 as white.
#
# Ten kinds of clothes went into its training, a tenth of the pictures each; trousers, dresses and bags are among them. Do all ten come out? Whoever looks at generated pictures should look for what is missing, too.

# %%
# NBVAL_CHECK_OUTPUT
z = torch.randn(3, 100, device=device)
pictures = G(z)
print("latent vectors:", tuple(z.shape))
print("pictures:", tuple(pictures.shape), "(number, channels, height, width)")
print("all pixels between -1 and 1:", bool(pictures.abs().max() <= 1))

# %% [markdown]
# ## 2 · Where pictures come from, and their numbers
#
# Pictures are stored as whole numbers from 0 to 255, in one tensor for the whole set. `data.load` looks for a set in a few places and says which one it used. Where there is no internet it takes 6,000 pictures that ship with the course.

# %% slide="Real digits: 28 × 28 whole numbers from 0 to 255 each"
digits = data.load("mnist")
print(digits.source)
show.grid(digits.images[:40], "40 handwritten digits from MNIST.", columns=10)

# %%
# NBVAL_CHECK_OUTPUT
print("type:", digits.images.dtype, " one picture:", tuple(digits.images[0].shape))
print("classes:", len(digits.classes))

# %% [markdown]
# **How exercises work.** Each has a card (how difficult, how many minutes, what it is good for), a function to write, and a cell that checks it and says in words what is wrong. Stuck? Open the hints at the end of the card, one at a time. Every lesson comes twice, with its solutions and as an exercise notebook, and the link beside the badge at the top leads from one to the other. In the exercise notebook the functions are empty, and *Run all* stops at the first one that you have not written. Write it, run its check, and go on from there: *Run Selected Cell and All Below* in JupyterLab, *Run cell and below* on Colab. Or go on without it: the last fold on the card holds a solution to paste over the empty function.
#
# ### Exercise 0.1 · From 0 … 255 to −1 … 1
# Difficulty ●○○○○ · 5 minutes · why it matters: the generator's pixels end in −1 … 1, so the real ones must, too, or the two could be told apart by brightness alone.
#
# <details><summary>Hint 1</summary>
#
# Where do 0, 255 and the middle, 127.5, have to go? Two steps do it: stretch or shrink, then shift.
#
# </details>
# <details><summary>Hint 2</summary>
#
# The pictures are `uint8`: whole numbers that overflow beyond 255 and cannot be negative. Turn them into `float32` before you compute (`images.float()`).
#
# </details>
# <details><summary>Hint 3</summary>
#
# Divided by 127.5 they are between 0 and 2. What is left to do?
#
# </details>

# %%
def to_signed(images):
    """uint8 images, 0 to 255, as float32 from -1 to 1."""
    # solution
    return images.float() / 127.5 - 1
    # end solution


# %%
lesson_00.exercise_1(to_signed)

# %% [markdown]
# ### Exercise 0.2 · Draw them yourself
# Difficulty ●●○○○ · 10 minutes · why it matters: a picture you cannot draw again is an anecdote.
#
# Write the first two steps above. So that a seed always gives the same pictures, make a `torch.Generator` (PyTorch's word for a source of random numbers; it has nothing to do with G), seed it with `manual_seed`, and hand it to `torch.randn`. `torch.no_grad()` tells PyTorch that nobody is going to train here.
#
# Random numbers, their source and G have to be on one device: `torch.Generator(device)`, and `device=device` in `torch.randn`.
#
# <details><summary>Hint 1</summary>
#
# Which call above draws latent vectors, and which makes pictures of them? What must be added so that the seed decides?
#
# </details>
# <details><summary>Hint 2</summary>
#
# `torch.Generator(device).manual_seed(seed)` returns the source. Make it inside the function, so that each call begins anew.
#
# </details>
# <details><summary>Hint 3</summary>
#
# `torch.randn(n, 100, generator=…, device=device)` draws z. Compute and return G(z) inside `with torch.no_grad():`.
#
# </details>

# %%
def draw(G, n, seed):
    """n pictures of G, float [n, 1, 28, 28] from -1 to 1; the seed decides which."""
    # solution
    generator = torch.Generator(device).manual_seed(seed)
    z = torch.randn(n, 100, generator=generator, device=device)
    with torch.no_grad():
        return G(z)
    # end solution


# %%
lesson_00.exercise_2(draw)

# %% slide="The same seed draws the same pictures"
show.grid(
    torch.cat([draw(G, 10, seed=1), draw(G, 10, seed=1), draw(G, 10, seed=2)]),
    "Three rows of ten generated pictures of clothes: the first two rows are the same, the third is another.",
    columns=10,
)

# %% [markdown]
# ## 3 · Walking between two pictures
#
# The latent vectors fill a space, and the generator is a continuous function on it: a small step in z changes the picture a little. So a straight line between two latents becomes a path of pictures, and every point on it is a picture, too.
#
# ### Exercise 0.3 · The path
# Difficulty ●●○○○ · 10 minutes · why it matters: this little function is the seed of lesson 05.
#
# <details><summary>Hint 1</summary>
#
# At which share t of the way are you at latent k of `steps`, counted from 0? What are the first and the last share?
#
# </details>
# <details><summary>Hint 2</summary>
#
# `torch.linspace(0, 1, steps)` gives all shares, both ends included. A point of the line is a mixture of a and b; their weights add up to 1.
#
# </details>
# <details><summary>Hint 3</summary>
#
# `share[:, None]` is a column: multiplied by `a`, it gives a row for each share.
#
# </details>

# %%
def walk(a, b, steps):
    """Latents on the straight line from a to b, both included: [steps, len(a)]."""
    # solution
    share = torch.linspace(0, 1, steps)[:, None]
    return (1 - share) * a + share * b
    # end solution


# %%
lesson_00.exercise_3(walk)

# %% slide="A straight line between two latents becomes a path of pictures"
ends = torch.randn(6, 100, generator=torch.Generator().manual_seed(150))
paths = torch.cat([walk(ends[i], ends[i + 1], 12) for i in (0, 2, 4)])
with torch.no_grad():
    path_pictures = G(paths.to(device))
show.grid(
    path_pictures,
    "Three rows of twelve pictures. In each row one garment turns into another, partly by way of dark shapes.",
    columns=12,
)

# %% [markdown]
# Each row begins and ends with a picture of its own. Look at the middle: is it still a garment? Lesson 05 asks how smooth these paths really are, and whether a straight line is the best path there is.
#
# ## 4 · From noise to digits
#
# Now train one. It takes two networks:
#
# - the **generator** G makes pictures from latent vectors and is never shown a real one,
# - the **discriminator** D sees real and generated pictures and learns to tell them apart.
#
# G learns only from D: it changes so that D takes its pictures for real. D learns from the same pictures, and gets better at refusing. Neither has a fixed goal; each is the other's. That is all there is to a *generative adversarial network*, and lesson 01 works out where such a game leads.
#
# While it trains you see three panels:
#
# - **left**: what G makes of 64 latent vectors that stay the same from beginning to end,
# - **middle**: the losses, the two numbers being minimised,
# - **right**: the score D gives to real pictures, D(x), and to generated ones, D(G(z)). 1 means "certainly real".
#
# **Predict:** once the digits look good, where will the two curves on the right be? Far apart, or close together?

# %% slide="D stays ahead of G, and is often wrong"
# precision: shorter numbers, where this machine is faster with them
recipe = recipes.get("quick-digits").at(here).but(precision="auto")
gan = GAN(recipe, seed=SEED, device=device)
until = here.pick(ci=60, cpu=2_500, colab=6_000, full=18_750)
live = watch.LiveTraining(goal=until * recipe.batch)
for _ in training.train(gan, digits.images, until):
    live.update(gan)

# %% slide="The same 64 latents, from noise to digits"
live.animation("The same 64 latent vectors drawn again and again while the generator trains, from grey noise on.")

# %% [markdown]
# Now compare with your prediction: where do the two curves end? In the recorded run (profile `cpu`, 80,000 pictures) they end at 0.60 and 0.40, neither apart nor one: D is still ahead, and often wrong. After the few steps of profile `ci` nothing is settled yet. That is this network on this task; in lesson 02 you meet a D that stays ahead, and a G that learns from it all the same. What G hears from a D that is nearly certain is measured in lesson 01.
#
# ### Exercise 0.4 · How long is a run?
# Difficulty ●○○○○ · 5 minutes · why it matters: papers count epochs, logs count steps, and people compare the two.
#
# One **step** uses one batch. One **epoch** is a pass over all pictures. This course leaves out the incomplete batch at the end of an epoch. How many steps does a run take?
#
# <details><summary>Hint 1</summary>
#
# How many whole batches are in one epoch? What happens to the pictures that are left over?
#
# </details>
# <details><summary>Hint 2</summary>
#
# Python's `//` divides and rounds down. Round within one epoch, before you multiply.
#
# </details>

# %%
def steps_for(images, batch, epochs):
    """Steps of a run over `images` pictures in batches of `batch`, repeated for `epochs` epochs."""
    # solution
    return images // batch * epochs
    # end solution


# %%
lesson_00.exercise_4(steps_for)

# %%
# NBVAL_CHECK_OUTPUT
print(f"the fashion run above: {steps_for(60_000, 64, 50):,} steps")
print(f"five epochs of CelebA at batch 128: {steps_for(202_599, 128, 5):,} steps")

# %% [markdown]
# ## 5 · The same from the command line
#
# Every run of the course can be started, stopped and resumed without a notebook:
#
# ```
# python -m gan_course recipes                                  the table of experiments
# python -m gan_course train quick-digits --out runs/digits     train; Ctrl-C keeps the run
# python -m gan_course train quick-digits --out runs/digits --resume
# python -m gan_course sample runs/digits --n 64 --out grid.png
# python -m gan_course doctor                                   is this machine ready?
# ```
#
# ## 6 · Learnt, or learnt by heart?
#
# A generator that repeated pictures of its training set would be a photocopier. To find out, hold each generated picture against *all* real ones. Better still, hold a whole path against them: on the way from one digit to another, a photocopier would have to jump from copy to copy.
#
# ### Exercise 0.5 · The nearest real picture
# Difficulty ●●●○○ · 15 minutes · why it matters: it is the first question that anyone will ask about your generated pictures.
#
# How far apart two pictures are is measured here by the mean of their squared differences, pixel by pixel, both in −1 … 1. For each generated picture, find the number (the index) of the nearest real one. `to_signed` is at hand, and `torch.cdist(A, B)` gives the distance of each row of A from each row of B.
#
# <details><summary>Hint 1</summary>
#
# Both sets have to be on one scale and in one shape. Which are not, and what have you written that mends the scale?
#
# </details>
# <details><summary>Hint 2</summary>
#
# `pictures.flatten(1)` makes one row of each picture. The picture with the least mean squared difference is also the one with the least distance.
#
# </details>
# <details><summary>Hint 3</summary>
#
# `torch.cdist(…, …)` is a table [n, N]: a row for each generated picture, a column for each real one. You want the column of the smallest number in each row: `argmin` along which axis?
#
# </details>

# %%
def nearest(pictures, images):
    """For each picture, float -1 to 1 [n, 1, 28, 28], which of the images, uint8 [N, ...], is nearest: [n]."""
    # solution
    real = to_signed(images)
    return torch.cdist(pictures.flatten(1), real.flatten(1)).argmin(dim=1)
    # end solution


# %%
lesson_00.exercise_5(nearest)

# %% [markdown]
# Now two of your walks from digit to digit, with the network that you have just trained. `average` is a moving average of G's weights, which makes steadier pictures than the weights of any single step. *Predict: under a path from one digit to another, will the nearest real picture stay the same for long stretches, or change at nearly every step?*

# %% slide="Along a path the nearest real digit changes again and again"
G_digits = gan.average
ends = torch.randn(4, 100, generator=torch.Generator().manual_seed(3))
paths = torch.cat([walk(ends[0], ends[1], 10), walk(ends[2], ends[3], 10)])
with torch.no_grad():
    made = G_digits(paths.to(device)).cpu()
which = nearest(made, digits.images)
found = digits.images[which]
under = [len({int(k) for k in path}) for path in (which[:10], which[10:])]
print(f"real digits under the two paths: {under[0]} and {under[1]} different ones of 10")
show.grid(
    torch.cat([data.to_uint8(made[:10]), found[:10], data.to_uint8(made[10:]), found[10:]]),
    "Two paths of ten generated digits; under each picture the real digit that is nearest to it in pixels.",
    columns=10,
)


# %% slide="A copy would be at distance 0; these digits are not"
def distance(pictures, images):
    """How far pictures are from their nearest real ones, on average: the root of the mean squared difference."""
    return (pictures - to_signed(images[nearest(pictures, images)])).square().mean().sqrt().item()


generated = draw(G_digits, 100, seed=SEED).cpu()
d_generated = distance(generated, digits.images)
d_real = distance(to_signed(digits.images[:100]), digits.images[100:])
print(f"a generated digit is {d_generated:.2f} from the nearest real one; a copy would be 0.00")
print(f"a real digit is {d_real:.2f} from the nearest other real one")

# %% [markdown]
# A photocopier would score 0, and on its paths the same real digit would stand below several pictures that are its copies. Look at each pair: is the upper digit the lower one again, or a relative? And compare the first number with the second: what counts as near, among digits, is what real ones are to each other. Two warnings. A digit moved by one pixel is far away in this measure and the same to the eye, so it can prove a copy, but not originality. And being far from every real digit is no merit by itself: a picture of nothing is far from all of them.
#
# ## 7 · The road from here
#
# Lesson 01 is the theory, in one and two dimensions, where the truth is known and every claim can be measured. In lesson 02 you write the training loop yourself. If you would rather build first and ask why later, take them in the other order.

# %% tags=["showed"]
score_real, score_fake = gan.history.mean("d_real"), gan.history.mean("d_fake")
print("pictures from published weights;")
print(f"digits from noise after {gan.images:,} images: D(x) {score_real:.2f}, D(G(z)) {score_fake:.2f};")
print(f"a generated digit is {d_generated:.2f} from the nearest real one, a real one {d_real:.2f} from another")

# %% [markdown]
# ## What to remember
#
# - A generator turns a latent vector, 100 random numbers, into a picture.
# - G and D learn from each other; neither has a fixed goal.
# - Pixels are 0 … 255 on the disk and −1 … 1 in the networks.
# - A seed makes a picture, or a whole run, repeatable.
# - A step is one batch, an epoch is one pass over the pictures.
#
# ## Ask yourself
#
# <details><summary>Does the generator ever see a real picture?</summary>
# No. Everything it knows about real pictures reaches it through D's verdicts, as a gradient.
# </details>
#
# <details><summary>Two people draw with seed 1 and get different pictures. What may differ?</summary>
# The weights (another run, another step), the device (CPU and GPU draw different random numbers from the same seed), or the number of pictures drawn at once.
# </details>
#
# <details><summary>D's score is 1/2 for every picture. Is that good?</summary>
# It can mean that G has become perfect, or that D has learnt nothing. The pictures tell which.
# </details>
#
# ## Glossary
#
# **Of this course**
#
# | word | meaning |
# |---|---|
# | alignment | the share of pictures that a judge calls by the class that was asked for (lesson 08) |
# | average | a second copy of G whose weights are a moving average over the last steps; it draws the pictures you see |
# | balance | how evenly generated pictures spread over the classes, from 1/10 (one class only) to 1 |
# | batch, step, epoch | the pictures used at once; one batch for D (and one for G); one pass over all pictures |
# | card | the lines above an exercise; also the file `run.json`, in which a run says how it was made |
# | checkpoint | a run's whole state on disk, from which it goes on as if nothing had happened |
# | fake | a picture (or point) that G made |
# | floor | what a metric shows for real pictures: training pictures against test pictures |
# | judge | a classifier trained on the real pictures, which says what it sees in generated ones, and how sure it is |
# | profile | how big a lesson runs: `ci`, `cpu`, `colab` or `full` |
# | published run | a trained run that comes with the course |
# | recipe | everything that decides what is trained: networks, data, losses, rates, labels, batch |
# | score | what D says of a picture; with a sigmoid, between 0 and 1 (lesson 07's command `score` measures pictures) |
# | seed | the number from which all random draws of a run follow |
# | telemetry | what is written down at every step of a training: losses, scores, gradients |
# | width | a factor on the channels of every layer; 1 is the printed size |
#
# **Of GANs and their mathematics**
#
# | word | meaning |
# |---|---|
# | augmentation | changing pictures at random before D sees them, real and generated alike (lesson 08) |
# | conditional | of a generator: it can be asked for a class (lesson 08) |
# | density p, q | how likely real (p) and generated (q) samples are near a point |
# | D, G | discriminator and generator |
# | embedding | a learned vector that stands for a class (lesson 08) |
# | eigenvalue | the factor by which a matrix stretches one of its own directions; a complex one also turns |
# | expectation E | the mean over infinitely many samples |
# | Fréchet distance | how far two clouds of features are apart, by their means and covariances (lesson 07) |
# | gradient | the direction in which a loss rises fastest, and how fast; training goes the other way |
# | JS(p‖q) | Jensen–Shannon divergence: half of KL(p‖m) + KL(q‖m) with m = (p + q)/2; 0 where p = q, at most log 2 |
# | KL(p‖q) | Kullback–Leibler divergence: the mean of log(p/q) over samples of p; 0 where p = q, else positive |
# | latent vector z | the random numbers that G turns into a picture |
# | log | the natural logarithm, to the base e |
# | logit l | D's answer before the sigmoid, any number; its score is σ(l) |
# | loss, objective | the number that a network's training makes smaller |
# | mode, mode collapse | a cluster of the data; G making few of them, or one |
# | non-saturating, saturating | G's two classic objectives: −log D(G(z)), and log(1 − D(G(z))) |
# | precision, recall | shares of generated pictures near a real one, and of real ones near a generated one (lesson 07) |
# | R1 | a penalty on the slope of D at real pictures |
# | sigmoid σ, softplus | $σ(l) = 1/(1 + e^{-l})$, between 0 and 1; $\log(1 + e^{l})$, whose slope is σ(l) |
# | V(D, G) | the value that D makes large and G small: E log D(x) + E log(1 − D(G(z))) |
#
# ## Where to read on
#
# - Ian Goodfellow et al., *Generative Adversarial Nets*, 2014, [arXiv:1406.2661](https://arxiv.org/abs/1406.2661): the idea, in eight pages.
# - Yann LeCun, Léon Bottou, Yoshua Bengio, Patrick Haffner, *Gradient-Based Learning Applied to Document Recognition*, 1998, Proceedings of the IEEE 86(11): where MNIST comes from.
# - Han Xiao, Kashif Rasul, Roland Vollgraf, *Fashion-MNIST*, 2017, [arXiv:1708.07747](https://arxiv.org/abs/1708.07747).
