"""Asking for a class: what G and D are told, in a step, in a run, in pictures."""

import pytest
import torch
from torch import nn

from gan_course import checkpoint, latent, networks, publishing, recipes, runs, sampling, training
from gan_course.data import ImageSet
from gan_course.errors import CourseError
from gan_course.gan import GAN
from gan_course.recipes import Recipe

pytestmark = pytest.mark.usefixtures("own_machine")


@pytest.fixture(scope="module")
def recipe(small):
    return small("conditional-digits")


@pytest.fixture
def marked(recipe):
    """70 images whose grey level is 20 times their class, and the classes."""
    labels = torch.arange(70) * 7 % 10
    return (20 * labels).to(torch.uint8)[:, None, None, None].expand(-1, 1, 28, 28).contiguous(), labels


# --- networks --------------------------------------------------------------------------------------


def test_the_class_stands_behind_z():
    z = torch.tensor([[0.5, -1.0], [2.0, 3.0]])
    assert networks.with_class(z, torch.tensor([2, 0]), 3).tolist() == [[0.5, -1, 0, 0, 1], [2, 3, 1, 0, 0]]


def test_the_first_layers_weights_for_the_class_are_its_embedding(recipe):
    G, _ = recipe.build()
    first = G.layers[1][0]
    z, labels = torch.randn(4, 100), torch.tensor([3, 3, 0, 9])
    joined = networks.with_class(z, labels, 10)[:, :, None, None]
    apart = torch.einsum("nd,dchw->nchw", z, first.weight[:100]) + first.weight[100:][labels]
    assert G.latent_dim == 110 and torch.allclose(first(joined), apart, atol=1e-5)


def test_counts_by_hand():
    """At a quarter of the width G's first layer makes 128 × 4 × 4 of each input; D decides from 64 × 3 × 3 features."""
    for key, plain in (("conditional-digits", "quick-digits"), ("conditional-clothes", "quick-clothes")):
        pairs = [list(map(networks.count_parameters, recipes.get(name).build())) for name in (key, plain)]
        assert [a - b for a, b in zip(*pairs, strict=True)] == [10 * 128 * 4 * 4, 10 * 64 * 3 * 3]
    planes = recipes.get("conditional-digits").but(told="planes").build()[1]
    assert networks.count_parameters(planes) - pairs[1][1] == 10 * 16 * 4 * 4  # 16 kernels of 4 × 4 a plane


@pytest.mark.parametrize("changes", [{}, {"minibatch_std": True}, {"d_norm": "layer"}, {"network": "mlp"}])
def test_the_projection_is_the_papers_formula(recipe, changes):
    _, D = recipe.but(**changes).build()
    D.eval()
    x, y = torch.randn(6, 1, 28, 28), torch.tensor([0, 1, 5, 5, 9, 2])
    with torch.no_grad():
        phi = D.features(x)
        embedding = D.embedding.weight[y]
        psi = networks.Discriminator(D.layers)(x)
        assert torch.allclose(D(x, y), psi + (embedding * phi).sum(1), atol=1e-5)
        D.embedding.weight[7] += 1  # of a class that nobody asks for
        assert torch.allclose(D(x, y), psi + (embedding * phi).sum(1), atol=1e-5)


def test_told_by_planes_and_not_told(recipe):
    x, y = torch.randn(4, 1, 28, 28), torch.tensor([0, 1, 5, 9])
    seen = []
    _, D = recipe.but(told="planes").build()
    D.layers[0].register_forward_pre_hook(lambda _, given: seen.append(given[0]))
    D(x, y)
    assert seen[0].shape == (4, 11, 28, 28) and torch.equal(seen[0][:, :1], x)
    assert torch.equal(seen[0][:, 1:].mean((2, 3)).argmax(1), y) and seen[0][:, 1:].sum() == 4 * 28 * 28
    _, D = recipe.but(told="not").build()
    D.eval()
    assert torch.equal(D(x, y), D(x, y.flip(0)))


@pytest.mark.parametrize(
    "changes, said",
    [
        ({"classes": 1}, "classes 1: 0 (none is asked for), or 2 and more"),
        ({"told": "shouted"}, "one of projection, planes, not"),
        ({"objective": "feature-matching"}, "know no class"),
    ],
)
def test_recipes_that_cannot_be(changes, said):
    with pytest.raises(CourseError) as refusal:
        recipes.get("conditional-digits").but(**changes)
    assert said in str(refusal.value)


# --- a step ----------------------------------------------------------------------------------------


def test_labels_are_shuffled_with_the_images(recipe, marked):
    gan, (images, labels) = GAN(recipe), marked
    seen = []
    for _, real in zip(range(9), training.real_batches(gan, images, labels), strict=False):
        greys = ((real[:, 0, 0, 0] + 1) * 127.5 / 20).round().long()
        assert torch.equal(greys, gan.labels)
        seen.append(gan.labels.tolist())
        gan.step += 1
    assert seen[0] != labels[:16].tolist() and seen[0] != seen[4], "another order every epoch of four batches"


def told(gan, images):
    """What a step tells D and asks of G: [(which images, labels)], by a D and a G that write it down."""
    noted = []
    gan.D.register_forward_pre_hook(
        lambda _, given, named: noted.append((given[0].detach().clone(), named["labels"].clone())), with_kwargs=True
    )
    asked = []
    gan.G.register_forward_pre_hook(lambda _, given: asked.append(given[0][:, 100:].argmax(1)))
    training.train_step(gan, images)
    return noted, asked


@pytest.mark.parametrize("fresh, asks", [(False, 1), (True, 2)])
def test_real_and_generated_images_are_told_of_the_same_classes(recipe, marked, fresh, asks):
    gan = GAN(recipe.but(fresh_noise=fresh))
    real = next(training.real_batches(gan, *marked))
    noted, asked = told(gan, real)
    assert len(noted) == 3 and len(asked) == asks  # D: real, generated, generated again for G
    assert all(torch.equal(labels, gan.labels) for labels in (*(labels for _, labels in noted), *asked))
    assert torch.equal(noted[0][0], real)


def test_penalties_and_pairs_are_told_too(recipe, marked, go):
    images, labels = marked
    for objective, penalty in (("relativistic", "r1+r2"), ("wasserstein", "gradient")):
        gan = GAN(recipe.but(objective=objective, penalty=penalty, d_norm="layer"))
        go(gan, images, 3, labels=labels)
        assert gan.history["loss_d"].shape == (3,)


class _Sum(nn.Module):
    """A G with a weight for each input, whose picture is grey."""

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(110, 1))

    def forward(self, z):
        return torch.tanh(z @ self.weight)[:, :, None, None].expand(-1, -1, 28, 28)


class _Embedded(nn.Module):
    """A D that likes class 9 bright and all others dark."""

    def __init__(self):
        super().__init__()
        self.scale = nn.Parameter(torch.ones(()))

    def forward(self, images, labels):
        return self.scale * images.mean((1, 2, 3)) * torch.where(labels == 9, 1.0, -1.0)


def test_g_learns_by_class(recipe, marked, go):
    gan = go(GAN(recipe.but(lr_d=0.0, lr_g=0.01), networks=(_Sum(), _Embedded())), marked[0], 30, labels=marked[1])
    by_class = gan.G.weight[100:, 0]
    assert by_class[9] > 0.05 and (by_class[:9] < -0.05).all()


@pytest.mark.parametrize(
    "labels, said",
    [
        (None, "asks for classes: hand over the images' labels, too"),
        (torch.zeros(69, dtype=torch.int64), "int64 [70], one an image"),
        (torch.zeros(70), "int64 [70], one an image"),
        (torch.full((70,), 10), "labels from 10 to 10"),
    ],
)
def test_labels_that_do_not_fit(recipe, marked, go, labels, said):
    with pytest.raises(CourseError) as refusal:
        go(GAN(recipe), marked[0], 1, labels=labels)
    assert said in str(refusal.value)
    with pytest.raises(CourseError):  # and in a loop of one's own
        next(training.real_batches(GAN(recipe), marked[0], labels))


def test_without_classes_a_step_is_what_it_was(small, pictures, assert_same, go):
    """Labels change nothing, and what is new is not there."""
    recipe = small("quick-digits")
    images = pictures(recipe, 70)
    one, other = go(GAN(recipe), images, 6), go(GAN(recipe), images, 6, labels=torch.zeros(70, dtype=torch.int64))
    assert_same(one, other)
    assert one.labels is None and one.critic is one.D and one.latents(2).shape == (2, 100)
    assert not any("embedding" in name for name in one.D.state_dict())


# --- a run -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("told", networks.TOLD)
def test_a_run_goes_on_bit_for_bit(recipe, marked, go, assert_same, tmp_path, told):
    recipe, (images, labels) = recipe.but(told=told, augment="translation,cutout"), marked
    whole = go(GAN(recipe, seed=5), images, 9, labels=labels)
    begun = go(GAN(recipe, seed=5), images, 6, labels=labels)
    loaded = checkpoint.load(checkpoint.save(begun, tmp_path / "checkpoint.safetensors"), recipe)
    assert_same(go(loaded, images, 9, labels=labels), whole)
    assert_same(go(begun, images, 9, labels=labels), whole)


@pytest.fixture(scope="module")
def run(recipe, tmp_path_factory):
    labels = torch.arange(64) % 10
    images = (25 * labels).to(torch.uint8)[:, None, None, None].expand(-1, 1, 28, 28).contiguous()
    some = ImageSet("mnist", "train", images, labels, (), "grey levels")
    folder = tmp_path_factory.mktemp("runs") / "grey"
    return runs.train(recipe.but(draw_every=50), some, folder, images=16 * 150, progress=False)


def test_sampling_asks_and_a_published_copy_still_can(run, tmp_path):
    labels = torch.arange(300) % 10  # more than a pass
    G = run.generator()
    asked = sampling.sample(G, 300, seed=1, labels=labels)
    levels = asked.float().mean((1, 2, 3))
    dark, bright = levels[labels == 0].mean(), levels[labels == 9].mean()
    assert bright > dark + 5, "it was trained on grey levels by class"
    assert torch.equal(asked, sampling.sample(G, 300, seed=1, labels=labels))
    copy = publishing.publish(run, tmp_path / "published").generator()
    again = sampling.sample(copy, 300, seed=1, labels=labels)
    assert (again.float() - asked.float()).abs().mean() < 2


def test_without_labels_any_class_is_asked_for(run):
    z = sampling.latents(run.generator(), 200, torch.Generator().manual_seed(0))
    assert z.shape == (200, 110) and torch.equal(z[:, 100:].sum(1), torch.ones(200))
    assert (torch.bincount(z[:, 100:].argmax(1), minlength=10) > 5).all()
    assert torch.equal(latent.of(run.generator(), 200, 0), z)
    assert sampling.sample(run.generator(), 3).shape == (3, 1, 28, 28)


def test_the_fixed_latents_go_through_the_classes(run):
    asked = run.fixed_latents[:, 100:]
    assert asked.sum() == 64 and torch.equal(asked.argmax(1), torch.arange(64) * 10 // 64)


@pytest.mark.parametrize("labels", [torch.zeros(3, dtype=torch.int64), torch.zeros(2), torch.tensor([0, 10])])
def test_what_cannot_be_asked(run, labels):
    with pytest.raises(CourseError, match=r"int64 \[2\] from 0 to 9 work"):
        sampling.sample(run.generator(), 2, labels=labels)


def test_who_knows_no_classes_says_so():
    G, _ = recipes.get("quick-digits").but(width=1 / 8).build()
    with pytest.raises(CourseError, match="cannot be asked for a class"):
        sampling.sample(G, 2, labels=torch.tensor([0, 1]))


def test_recipes_written_before_there_were_classes_still_open():
    old = {k: v for k, v in recipes.get("quick-digits").as_dict().items() if k not in ("classes", "told", "augment")}
    assert Recipe.from_dict(old) == recipes.get("quick-digits")
