"""A run's whole state as one safetensors file: restored, it goes on bit for bit.

Weights, both optimisers, G's average, every random stream, the place in the data order and the
telemetry lie in one file, so that they can never be of different steps. Nothing is unpickled.
"""

import json
from pathlib import Path

import safetensors
import safetensors.torch
import torch
from torch import Tensor, nn

from gan_course import files
from gan_course.errors import CourseError
from gan_course.gan import GAN
from gan_course.history import COLUMNS, History
from gan_course.ranks import ALONE, Ranks
from gan_course.recipes import Recipe

FORMAT = 2  # raised whenever a checkpoint of the version before can no longer be continued


def save(gan: GAN, path: str | Path) -> Path:
    """Write the run's state; the file holds the old state or all of the new one.

    All ranks of a run call it; rank 0 writes.

    Raises:
        CourseError: the disk is full or the folder cannot be written to; the old file is untouched.
    """
    header = {
        "format": FORMAT,
        "recipe": gan.recipe.as_dict(),
        "seed": gan.seed,
        "step": gan.step,
        "images": gan.images,
        "device": gan.device.type,
        "ranks": gan.ranks.size,
        "scaler": gan.scaler.state_dict(),
    }
    random = {name: torch.stack(gan.ranks.gather(state)) for name, state in _random(gan).items()}
    if not gan.ranks.first:
        return Path(path)
    tensors = {**_live(gan), **random, "history": torch.from_numpy(gan.history.rows)}
    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    return write(path, header, tensors)


def load(
    path: str | Path,
    recipe: Recipe,
    device: torch.device | str = "cpu",
    networks: tuple[nn.Module, nn.Module] | None = None,
    ranks: Ranks = ALONE,
) -> GAN:
    """The run as it was saved, ready to go on.

    Args:
        recipe: what the caller means to train; it must be the one in the file, whose precision `auto` takes over.
        networks: (G, D) of your own, built as the saved pair was; see `GAN`.

    Raises:
        CourseError: no such file, not a checkpoint, truncated, of another version, other networks, another
            recipe or another kind of device (random streams differ between CPU and GPU), or of another
            number of ranks.
    """
    path, device = files.user_path(path, "checkpoint"), torch.device(device)
    header, tensors = read(path, FORMAT)
    try:
        saved, kind = Recipe.from_dict(header["recipe"]), header["device"]
        seed, step, images, size = header["seed"], header["step"], header["images"], header["ranks"]
    except (KeyError, CourseError) as error:
        raise CourseError(
            f"{path} is not a run's checkpoint ({error}): train anew in another folder"
        ) from None
    if recipe.precision == "auto":
        recipe = recipe.but(precision=saved.precision)  # as it began, on whatever machine it goes on
    if saved != recipe:
        differing = ", ".join(
            f"{name} {value!r} there, {recipe.as_dict()[name]!r} here"
            for name, value in saved.as_dict().items()
            if value != recipe.as_dict()[name]
        )
        raise CourseError(f"{path} is of another recipe ({differing}): use that recipe, or another folder")
    if kind != device.type:
        raise CourseError(f"{path} was trained on {kind} and goes on only there, not on {device.type}")
    if size != ranks.size:
        raise CourseError(f"{path} was trained by {size} ranks and goes on only so, not with {ranks.size}")
    gan = GAN(recipe, seed, device, networks, ranks)
    gan.step, gan.images = step, images
    rows = len(tensors.get("history", ()))
    random = {name: state.expand(size, -1) for name, state in _random(gan).items()}
    wanted = {**_live(gan), **random, "history": torch.empty(rows, len(COLUMNS))}
    shapes, expected = ({name: t.shape for name, t in them.items()} for them in (tensors, wanted))
    if shapes != expected:
        name = next(name for name in {**expected, **shapes} if shapes.get(name) != expected.get(name))
        if not name.startswith(("G.", "D.", "average.", "opt_")):
            raise CourseError(f"{path} lacks {name!r} in the right shape: it is of another version; start anew")
        pair = "these networks" if networks else "the recipe's networks"
        raise CourseError(
            f"{path} was not saved from {pair} ({name!r} differs): hand over `networks` as they were in training"
        )
    with torch.no_grad():
        for name, tensor in _live(gan).items():
            tensor.copy_(tensors[name])  # into place, so that memory layouts stay as the optimiser knows them
    own = {name: tensors[name][ranks.rank].clone() for name in random}
    gan.order.set_state(own["random.order"])
    gan.epoch_order = own["random.epoch_order"]
    gan.noise.set_state(own["random.noise"])
    gan.global_rng = [own[f"random.global.{i}"] for i in range(len(gan.global_rng))]
    if scaler := header.get("scaler"):  # empty but for float16
        gan.scaler.load_state_dict(scaler)
    gan.history = History(tensors["history"].numpy())
    return gan


def write(path: str | Path, header: dict, tensors: dict[str, Tensor]) -> Path:
    """Write a safetensors file of the course, which `read` opens.

    Args:
        header: plain values; `format` among them.

    Raises:
        CourseError: the disk is full or the folder cannot be written to; an old file is untouched.
    """
    return files.write_atomically(path, safetensors.torch.save(tensors, {"gan_course": json.dumps(header)}))


def read(path: Path, version: int) -> tuple[dict, dict[str, Tensor]]:
    """(header, tensors) of a safetensors file of the course.

    Raises:
        CourseError: missing, damaged, or not of that version.
    """
    if not path.is_file():
        raise CourseError(f"there is no {path}: train a run first, or name its folder")
    try:
        with safetensors.safe_open(str(path), framework="pt") as file:
            header = dict(json.loads((file.metadata() or {}).get("gan_course", "{}")))
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (not a dict)
    except (safetensors.SafetensorError, OSError, ValueError, TypeError) as error:
        raise CourseError(
            f"{path} is damaged or incomplete ({error}): take another copy, or train anew"
        ) from None
    if header.get("format") != version:
        raise CourseError(
            f"{path} is of format {header.get('format', 'unknown')}, this version of the course reads {version}: "
            "train anew, or use the version that wrote it"
        )
    return header, tensors


def _live(gan: GAN) -> dict[str, Tensor]:
    """Every tensor that training changes in place, by name."""
    tensors = {}
    for prefix, module in (("G", gan.G), ("D", gan.D), ("average", gan.average)):
        tensors.update({f"{prefix}.{name}": tensor for name, tensor in module.state_dict().items()})
    for prefix, optimiser, module in (("opt_g", gan.opt_g, gan.G), ("opt_d", gan.opt_d, gan.D)):
        for name, parameter in module.named_parameters():
            for key, tensor in _adam_state(optimiser, parameter).items():
                tensors[f"{prefix}.{name}.{key}"] = tensor
    tensors["fixed_latents"] = gan.fixed_latents
    return tensors


def _adam_state(optimiser: torch.optim.Adam, parameter: nn.Parameter) -> dict[str, Tensor]:
    """Adam's state for a parameter; made here, as zeros, where the first step has not made it yet."""
    state = optimiser.state[parameter]
    if not state:
        state["step"] = torch.zeros((), device=parameter.device)
        state["exp_avg"] = torch.zeros_like(parameter)
        state["exp_avg_sq"] = torch.zeros_like(parameter)
    return state


def _random(gan: GAN) -> dict[str, Tensor]:
    states = {
        "random.order": gan.order.get_state(),
        "random.epoch_order": gan.epoch_order,
        "random.noise": gan.noise.get_state(),
    }
    return states | {f"random.global.{i}": state for i, state in enumerate(gan.global_rng)}
