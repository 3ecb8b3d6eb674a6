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
# - train a GAN and read the three panels that every lesson shows while training.
#
# | | two CPU cores | Colab T4 |
# |---|---|---|
# | minutes to run it all | about 1.5 | not measured yet |
# | minutes to read and solve it | about 40 | about 40 |
#
# Read first: nothing. You need some Python, and to have seen a PyTorch tensor.

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

# %%
clothes = runs.find("mlp-fashion")
G = clothes.generator(device)
show.grid(
    sampling.sample(G, 40, seed=SEED),
    "40 generated pictures of clothes: shirts, trousers, shoes, bags, slightly blurred.",
    columns=10,
)

# %% [markdown]
# None of these is a photograph. A network `G`, the **generator**, was handed 40 lists of 100 random numbers and turned each into a picture. Such a list is called a **latent vector**, and the whole of what you have just run is three steps:
#
# 1. draw `z`, 100 numbers from a normal distribution,
# 2. compute `G(z)`, 28 × 28 numbers between −1 and 1,
# 3. show −1 as black and 1 as white.

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
# Pictures are stored as whole numbers from 0 to 255, in one tensor for the whole set. `data.load` looks for a set in a few places and says which one it used. Without a network it falls back on 6,000 pictures that ship with the course.

# %%
digits = data.load("mnist")
print(digits.source)
show.grid(digits.images[:40], "40 handwritten digits from MNIST.", columns=10)

# %%
# NBVAL_CHECK_OUTPUT
print("type:", digits.images.dtype, " one picture:", tuple(digits.images[0].shape))
print("classes:", len(digits.classes))

# %% [markdown]
# ### Exercise 0.1 · From 0 … 255 to −1 … 1
# Difficulty ●○○○○ · 5 minutes · why it matters: the generator's pixels end in −1 … 1, so the real ones must, too, or the two could be told apart by brightness alone.

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
# Write the three steps above (without the showing). So that a seed always gives the same pictures, make a `torch.Generator`, seed it with `manual_seed`, and hand it to `torch.randn`. `torch.no_grad()` tells PyTorch that nobody is going to train here.

# %%
def draw(G, n, seed):
    """n pictures of G, float [n, 1, 28, 28] from -1 to 1; the seed decides which."""
    # solution
    generator = torch.Generator().manual_seed(seed)
    z = torch.randn(n, 100, generator=generator)
    with torch.no_grad():
        return G(z)
    # end solution


# %%
lesson_00.exercise_2(draw)

# %% [markdown]
# ## 3 · Walking between two pictures
#
# The latent vectors fill a space, and the generator is a smooth function on it. So a straight line between two latents becomes a path of pictures, and every point on it is a picture, too.
#
# ### Exercise 0.3 · The path
# Difficulty ●●○○○ · 10 minutes · why it matters: this little function is the seed of lesson 05.

# %%
def walk(a, b, steps):
    """Latents on the straight line from a to b, both included: [steps, len(a)]."""
    # solution
    share = torch.linspace(0, 1, steps)[:, None]
    return (1 - share) * a + share * b
    # end solution


# %%
lesson_00.exercise_3(walk)

# %%
ends = torch.randn(6, 100, generator=torch.Generator().manual_seed(4))
paths = torch.cat([walk(ends[i], ends[i + 1], 12) for i in (0, 2, 4)])
with torch.no_grad():
    path_pictures = G(paths.to(device))
show.grid(
    path_pictures,
    "Three rows of twelve pictures. In each row one garment turns gradually into another.",
    columns=12,
)

# %% [markdown]
# Look at the middle of each row. Is it still a garment? Lesson 05 asks how smooth these paths really are, and whether a straight line is the best path there is.
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

# %%
# precision: shorter numbers, where this machine is faster with them
recipe = recipes.get("quick-digits").at(here).but(precision="auto")
gan = GAN(recipe, seed=SEED, device=device)
until = here.pick(ci=60, cpu=2_500, colab=6_000, full=18_750)
live = watch.LiveTraining(goal=until * recipe.batch)
for _ in training.train(gan, digits.images, until):
    live.update(gan)

# %%
live.animation(
    "The same 64 latent vectors drawn while the generator trains: grey noise, then strokes, digits."
)

# %% [markdown]
# The two scores end close together, near 1/2: D still sees a difference, but not much of one. If D were certain, there would be little to learn from it, and G would stand still. Most of what can go wrong with GANs is a loss of this balance; lesson 06 is about nothing else.
#
# ### Exercise 0.4 · How long is a run?
# Difficulty ●○○○○ · 5 minutes · why it matters: papers count epochs, logs count steps, and people compare the two.
#
# One **step** uses one batch. One **epoch** is a pass over all pictures. This course leaves out the incomplete batch at the end of an epoch. How many steps does a run take?

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
# ## 6 · The road from here
#
# Lesson 01 is the theory, in one and two dimensions, where the truth is known and every claim can be measured. In lesson 02 you write the training loop yourself. If you would rather build first and ask why later, take them in the other order.

# %% tags=["showed"]
d_real, d_fake = gan.history.mean("d_real"), gan.history.mean("d_fake")
print("pictures from published weights;")
print(f"digits from noise after {gan.images:,} images: D(x) {d_real:.2f}, D(G(z)) {d_fake:.2f}")

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
# ## Where to read on
#
# - Ian Goodfellow et al., *Generative Adversarial Nets*, 2014, [arXiv:1406.2661](https://arxiv.org/abs/1406.2661): the idea, in eight pages.
# - Yann LeCun, Léon Bottou, Yoshua Bengio, Patrick Haffner, *Gradient-Based Learning Applied to Document Recognition*, 1998, Proceedings of the IEEE 86(11): where MNIST comes from.
# - Han Xiao, Kashif Rasul, Roland Vollgraf, *Fashion-MNIST*, 2017, [arXiv:1708.07747](https://arxiv.org/abs/1708.07747).
