"""One step of adversarial training, and the loop around it.

`train_step` is the loop body that lesson 02 has the student write; a test trains both from one seed
and compares the weights bit for bit. Nothing here draws a picture or writes a file.
"""

from collections.abc import Callable, Iterator

import numpy as np
import torch
from torch import Tensor, nn

from gan_course import augment, data, losses, terminal
from gan_course.errors import CourseError, whole
from gan_course.gan import GAN
from gan_course.history import History
from gan_course.recipes import Recipe
from gan_course.threads import Threads

NORMS_EVERY = 50  # steps between two measurements of the gradient norms, which cost a pass over all weights
AVERAGE_EVERY = 8  # steps between two updates of G's moving average, likewise
REPORT_EVERY = 50  # steps between two looks at the telemetry: the loop's one synchronisation point
ROOM = 0.6  # of a GPU's free memory may be images; the rest is for the networks' activations


class Diverged(CourseError):
    """A loss became NaN or infinite."""


def train_step(gan: GAN, real: Tensor) -> dict[str, Tensor]:
    """One step of D and, every `g_every`-th time, one of G (Goodfellow et al. 2014, algorithm 1); or G's alone.

    Args:
        real: images [N, C, H, W] in [-1, 1] on the run's device.

    Returns:
        the step's telemetry as scalars that stay on the device; one's are absent where it rested.
    """
    if not gan.recipe.d_moves(gan.step):
        return step_g(gan, generate(gan, len(real)), real)
    g_moves = gan.recipe.g_moves(gan.step)
    g_reuses = g_moves and not gan.recipe.fresh_noise
    fake, telemetry = step_d(gan, real, for_g=g_reuses)
    if g_moves:
        telemetry |= step_g(gan, fake if g_reuses else generate(gan, len(real)), real)
    return telemetry


def generate(gan: GAN, n: int) -> Tensor:
    """n images of the next latents by G as it trains, [n, C, H, W] in [-1, 1]."""
    with gan.autocast():
        return gan.G(gan.latents(n))


def logits_of(gan: GAN, images: Tensor) -> Tensor:
    """D's logits [N] of images [N, C, H, W] in [-1, 1] as D trains."""
    return _through(gan, gan.critic, images)


def _through(gan: GAN, look: Callable[[Tensor], Tensor], images: Tensor) -> Tensor:
    """What D, or a part of it, makes of images, changed as the recipe says; at least float32, for exact losses."""
    images = augment.changed(images, gan.recipe.augment, gan.noise)
    if std := gan.recipe.image_noise:
        noise = torch.randn(images.shape, generator=gan.noise, device=images.device)
        images = images + std * noise
    with gan.autocast():
        seen = look(images)
    return seen.to(torch.promote_types(seen.dtype, torch.float32))


def step_d(gan: GAN, real: Tensor, for_g: bool = False) -> tuple[Tensor, dict[str, Tensor]]:
    """Push D's verdict on real images towards the real label and on generated ones towards the fake label.

    Real and generated images pass through D apart: in one joined batch, BatchNorm would mix them.

    Args:
        for_g: whether G's step will go back through the generated images.

    Returns:
        (the generated images, telemetry; its loss is without the penalty).
    """
    gan.D.requires_grad_(True)  # an interrupted step of G may have left it frozen
    with torch.set_grad_enabled(for_g):
        fake = generate(gan, len(real))
    real_logits, fake_logits = logits_of(gan, real), logits_of(gan, fake.detach())
    loss = gan.d_loss(real_logits, fake_logits)
    gan.descend(loss + penalty(gan, real, fake.detach()), gan.D, gan.opt_d)
    return fake, {"loss_d": loss.detach(), **verdicts(gan.objective, real_logits, fake_logits)}


def penalty(gan: GAN, real: Tensor, fake: Tensor) -> Tensor | float:
    """What the recipe asks D to pay for its slope at this step, weighted; 0 where it asks for nothing.

    Asked for at every k-th step it counts k times, and training hardly notices (Karras et al. 2020, arXiv:1912.04958,
    section 3.1). It is computed in float32 in every recipe: a slope is differentiated once more.
    """
    recipe = gan.recipe
    if gan.penalty is None or gan.step % recipe.penalty_every:
        return 0.0
    cost = gan.penalty(gan.critic, real, fake.to(real.dtype), gan.noise)
    return recipe.penalty_every * recipe.penalty_weight * cost


def step_g(gan: GAN, fake: Tensor, real: Tensor | None = None) -> dict[str, Tensor]:
    """Push D's verdict on G's images towards "real". D passes the gradient on and stays as it is.

    Args:
        real: the step's real images, which objectives that compare need.
    """
    D, objective = gan.D, gan.objective
    D.requires_grad_(False)
    look = D.features if objective.on_features else gan.critic
    seen = _through(gan, look, fake)
    loss = objective.g_loss(_through(gan, look, real), seen) if objective.compares else objective.g_loss(seen)
    gan.descend(loss, gan.G, gan.opt_g)
    D.requires_grad_(True)
    verdict = {} if objective.on_features else {"d_fake_after": objective.score(seen.detach()).mean()}
    return {"loss_g": loss.detach(), **verdict}


def verdicts(objective: losses.Objective, real_logits: Tensor, fake_logits: Tensor) -> dict[str, Tensor]:
    """D(x) and D(G(z)), and the shares of real and generated images on the right side of the middle.

    Where a score's zero means nothing, the middle lies halfway between the two means.
    """
    real, fake = objective.score(real_logits.detach()), objective.score(fake_logits.detach())
    middle = (real.mean() + fake.mean()) / 2 if objective.middle is None else objective.middle
    return {
        "d_real": real.mean(),
        "d_fake": fake.mean(),
        "right_real": (real > middle).float().mean(),
        "right_fake": (fake < middle).float().mean(),
    }


def train(
    gan: GAN,
    images: Tensor,
    until: int,
    *,
    labels: Tensor | None = None,
    report_every: int = REPORT_EVERY,
    progress: bool = True,
    stop: Callable[[], bool] = lambda: False,
    step: Callable[[GAN, Tensor], dict[str, Tensor]] | None = None,
) -> Iterator[GAN]:
    """Train up to step `until`, handing the run back every `report_every` steps and at the end.

    Where the recipe asks for a drawing, it is handed back too.

    The caller looks at it, draws, saves, or breaks off; between two hand-backs nothing waits for the
    device. Interrupted in a step, the run keeps the telemetry of all steps before.

        for _ in train(gan, images, until=2_000):
            ...

    Args:
        images: the training set, uint8 [N, C, H, W]; put on the run's device where it fits.
        until: the step to stop at, counted from the run's beginning.
        labels: the images' classes, int64 [N], where the recipe has classes; elsewhere they are not looked at.
        stop: asked after every step; where it says yes, that step was the last.
        step: something that does what `train_step` does; `train_step` by default.

    Raises:
        CourseError: the images do not fit the recipe, or `until` or `report_every` makes no sense.
        Diverged: a loss became NaN or infinite; says at which step and what to look at.
    """
    recipe, step = gan.recipe, step or train_step
    until, report_every = whole(until, "until"), whole(report_every, "report_every", 1)
    check_images(recipe, images, gan.ranks.size)
    batches = real_batches(gan, _on_device(images, gan.device), labels)
    with (
        Threads(gan.device) as threads,
        terminal.bar(
            total=until * gan.batch,
            initial=gan.images,
            unit=" images",
            unit_scale=True,
            desc=recipe.key,
            disable=not progress or not gan.ranks.first,
            ascii=" ▏▎▍▌▋▊▉█",
            mininterval=0.5,
        ) as bar,
    ):
        while gan.step < until and not stop():
            first, rows = gan.step, []
            threads.resume()
            chunk = min(until - first, *(n - first % n for n in (report_every, recipe.draw_every)))
            try:
                with gan.own_randomness():
                    for _ in range(chunk):
                        telemetry = step(gan, next(batches))
                        if gan.step % NORMS_EVERY == 0:
                            if "loss_d" in telemetry:
                                telemetry["grad_d"] = gradient_norm(gan.D)
                            if "loss_g" in telemetry:  # else G's gradient is an earlier step's
                                telemetry["grad_g"] = gradient_norm(gan.G)
                        rows.append(telemetry)
                        gan.step += 1
                        gan.images += gan.batch
                        if gan.step % AVERAGE_EVERY == 0:
                            update_average(gan)
                        bar.update(gan.batch)
                        threads.look(gan.batch)
                        if stop():
                            break
            except BaseException:
                if gan.ranks.size == 1:  # else the others would be waited for
                    gan.history.extend(first, gan.batch, rows[: gan.step - first])
                raise
            gan.history.extend(first, gan.batch, rows, gan.ranks)
            _check_finite(gan, first=first - gan.step)
            yield gan


def _on_device(images: Tensor, device: torch.device) -> Tensor:
    """The images on the device where they leave room for training, else where they lie (a memory-mapped file)."""
    if device.type == "cuda" and images.nbytes > ROOM * torch.cuda.mem_get_info(device)[0]:
        return images
    return images.to(device)


def check_images(recipe: Recipe, images: Tensor, ranks: int = 1) -> None:
    """Whether a recipe can train on these images, in that number of processes.

    Raises:
        CourseError: they are of another type, shape or number.
    """
    expected = (recipe.channels, recipe.size, recipe.size)
    if images.dtype != torch.uint8 or tuple(images.shape[1:]) != expected:
        raise CourseError(
            f"recipe {recipe.key!r} trains on uint8 images [N, {', '.join(map(str, expected))}]; "
            f"these are {str(images.dtype).removeprefix('torch.')} {list(images.shape)}"
        )
    if len(images) < recipe.batch * ranks:
        all_of_them = "" if ranks == 1 else f" in each of {ranks} processes"
        raise CourseError(
            f"{len(images)} images do not fill a batch of {recipe.batch}{all_of_them}: give more, or a smaller batch"
        )


def check_labels(recipe: Recipe, images: Tensor, labels: Tensor | None) -> Tensor | None:
    """The labels, where a recipe asks for classes; else None.

    Raises:
        CourseError: they are missing, or not one class of the recipe's for each image.
    """
    if not recipe.classes:
        return None
    if labels is None:
        raise CourseError(f"recipe {recipe.key!r} asks for classes: hand over the images' labels, too")
    if labels.shape != images.shape[:1] or labels.dtype != torch.int64:
        raise CourseError(f"labels {labels.dtype} {list(labels.shape)}: int64 [{len(images)}], one an image, works")
    if labels.min() < 0 or labels.max() >= recipe.classes:
        raise CourseError(
            f"labels from {labels.min()} to {labels.max()}, and recipe {recipe.key!r} has the classes 0 to "
            f"{recipe.classes - 1}: set its `classes`"
        )
    return labels


def index_epochs(gan: GAN, n: int) -> Iterator[Tensor]:
    """Endless epochs of indices below n, int64 [steps, batch] on the CPU, the incomplete last batch left out.

    Several ranks draw the same permutation and each takes its own slice of every batch.

    The first one is the rest of the epoch in which the run stands.
    """
    per_epoch = n // gan.batch
    while True:
        position = gan.step % per_epoch
        if position == 0:
            gan.epoch_order = gan.order.get_state()
        gan.order.set_state(gan.epoch_order)
        permutation = torch.randperm(n, generator=gan.order)[: per_epoch * gan.batch]
        yield permutation.view(per_epoch, gan.ranks.size, -1)[position:, gan.ranks.rank]


def index_batches(gan: GAN, n: int) -> Iterator[Tensor]:
    """Endless mini-batches of indices below n, int64 [batch]: those of `index_epochs`."""
    for epoch in index_epochs(gan, n):
        yield from epoch


def real_batches(gan: GAN, images: Tensor, labels: Tensor | None = None) -> Iterator[Tensor]:
    """Endless mini-batches of a run, in its order: float32 [batch, C, H, W] in [-1, 1] on its device.

    Args:
        images: uint8 [N, C, H, W], on any device.
        labels: their classes, int64 [N], where the recipe has classes; those of a mini-batch become the run's
            `labels`, which G is asked for at that step.

    Raises:
        CourseError: see `check_labels`.
    """
    if (labels := check_labels(gan.recipe, images, labels)) is not None:
        labels = labels.to(images.device)
    for epoch in index_epochs(gan, len(images)):
        for indices in epoch.to(images.device):
            if labels is not None:
                gan.labels = labels[indices].to(gan.device)
            yield data.to_signed(images[indices].to(gan.device, non_blocking=True))


@torch.no_grad()
def update_average(gan: GAN) -> None:
    """Move G's average towards G, BatchNorm's statistics included; half of it is renewed every half-life.

    Early on the half-life is 5 % of the images seen, so that the first weights are soon forgotten
    (Karras et al. 2022, the ramp-up of their training code).
    """
    half_life = min(gan.recipe.average_half_life, 0.05 * gan.images)
    weight = 1 - 0.5 ** (AVERAGE_EVERY * gan.batch / half_life)
    for mean, value in zip(gan.average.state_dict().values(), gan.G.state_dict().values(), strict=True):
        if mean.is_floating_point():
            mean.lerp_(value, weight)
        else:
            mean.copy_(value)


def gradient_norm(network: nn.Module) -> Tensor:
    """Euclidean norm of the gradient over all weights, a scalar on the device."""
    return nn.utils.get_total_norm([p.grad for p in network.parameters() if p.grad is not None])


def _check_finite(gan: GAN, first: int) -> None:
    """Raise if a loss of the rows from `first` on is not a finite number."""
    recent = History(gan.history.rows[first:])
    moved = [moves(recent["step"]) for moves in (gan.recipe.d_moves, gan.recipe.g_moves)]
    broken = ~np.isfinite(np.where(moved, [recent["loss_d"], recent["loss_g"]], 0.0))
    if broken.any():
        i = broken.any(axis=0).argmax()  # the first step of the two columns together
        column = "loss_d" if broken[0, i] else "loss_g"
        raise Diverged(
            f"{column} is {recent[column][i]:g} at step {recent['step'][i]:.0f}: "
            f"lower the learning rates ({gan.recipe.lr_g:g} for G, {gan.recipe.lr_d:g} for D), and look at "
            "grad_d and grad_g in the history of the steps before; the last checkpoint is untouched"
        )
