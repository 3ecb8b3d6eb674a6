"""The command line: python -m gan_course COMMAND. Bad input ends with status 2 and one line."""

import argparse
import os
import sys
from pathlib import Path

from gan_course import files
from gan_course.errors import CourseError
from gan_course.terminal import Lasting, command


def main(arguments: list[str] | None = None) -> int:
    """Run a command and return its exit status; see `terminal.command`.

    Raises:
        SystemExit: with 2, where the arguments themselves cannot be read; with 0, after --help.
    """
    return command("gan_course", lambda: _run(arguments))


def _run(arguments: list[str] | None) -> int | None:
    parsed = _parser().parse_args(arguments)
    if getattr(parsed, "profile", None):
        os.environ["GAN_COURSE_PROFILE"] = parsed.profile
    return parsed.run(parsed)


# Commands import what they need when they run, so that --help does not wait for torch.


def _recipes(parsed) -> None:
    from gan_course import recipes

    print(recipes.table())


def _data(parsed) -> None:
    from gan_course import data

    for name in [parsed.name] if parsed.name else (*data.SETS, "celeba"):
        if parsed.fetch and (parsed.name or name in data.SETS):  # CelebA only where it is named
            if parsed.path is not None:
                raise CourseError(
                    "--fetch downloads into the cache, --path takes what is there: give one of them"
                )
            print(f"{name}: whole in {data.fetch(name)}")
        if parsed.name == "celeba":
            print(data.load(name, parsed.size, path=parsed.path).source)
        else:
            places = data.describe(name, parsed.path)
            print(
                f"{name}: {data.SETS[name].folder}, {data.SETS[name].licence}"
                if name in data.SETS
                else f"{name}:"
            )
            for place, found in places:
                print(f"  {place:<17} {found}")
        if name in ("celeba", "faces"):
            print(data.TERMS)


def _train(parsed) -> int:
    from gan_course import data, devices, ranks, runs

    recipe = _recipe(parsed)
    if parsed.images is not None and parsed.images < 1:
        raise CourseError(f"--images {parsed.images}: at least 1 works, a few hundred thousand make pictures")
    default = Path("runs") / f"{recipe.key}-seed{parsed.seed}"
    folder = files.user_path(default if parsed.out is None else parsed.out, "--out")
    if parsed.data is not None:
        parsed.data = files.user_path(parsed.data, "--data")
    reports = []
    with ranks.joined() as group:
        image_set = group.in_turn(lambda: data.load(recipe.data, recipe.size, path=parsed.data))
        if group.first:
            print(image_set.source, file=Lasting(sys.stdout), flush=True)
        run = runs.train(
            recipe,
            image_set,
            folder,
            images=parsed.images,
            seed=parsed.seed,
            resume=parsed.resume,
            device=devices.default(),
            progress=not parsed.quiet,
            on_report=lambda gan: reports.append(gan.step),
            ranks=group,
        )
    if not group.first:
        return 0
    print(run.history.line())
    seen = f"{run.card['images']:,} images in {run.card['seconds']:.0f} s, kept in {folder}"
    if run.card["step"] < run.card["goal"]:
        print(f"interrupted after {seen}; the same command with --resume goes on")
        return 130
    print(f"finished: {seen}" if reports else f"nothing to do: it has seen {seen}; --images asks for more")
    return 0


def _recipe(parsed):
    """The recipe that was named, at the profile's width and the device's fastest precision, with what --set changes."""
    from gan_course import profiles, recipes

    recipe = recipes.get(parsed.recipe).at(profiles.current()).but(precision="auto")
    return recipe.but(**dict(_assignment(recipe, text) for text in parsed.set or ()))


def _assignment(recipe, text: str):
    """FIELD=VALUE as (field, value of the type the recipe has there)."""
    field, equals, value = text.partition("=")
    if not equals:
        raise CourseError(f"--set {text!r}: write FIELD=VALUE, for example batch=128")
    current = recipe.as_dict().get(field)
    try:
        if isinstance(current, bool):
            return field, {"true": True, "false": False}[value.lower()]
        if isinstance(current, tuple):
            first, second = map(type(current[0]), value.split(","))
            return field, (first, second)
        return field, type(current)(value) if current is not None else value
    except (ValueError, KeyError):
        raise CourseError(f"--set {text!r}: {field} is like {current!r}, {value!r} is not") from None


def _sample(parsed) -> None:
    from gan_course import devices, mosaic, runs, sampling

    out = files.user_path(parsed.out, "--out")
    if out.suffix not in (".png", ".npz"):
        raise CourseError(
            f"--out {out}: a name ending in .png makes a grid, one in .npz the images themselves"
        )
    if out.suffix == ".png" and parsed.n > 10_000:
        raise CourseError(
            f"a grid of {parsed.n:,} images is no picture: at most 10,000, or take --out samples.npz"
        )
    run = runs.find(parsed.name)
    images = sampling.sample(run.generator(devices.default()), parsed.n, parsed.seed)
    if out.suffix == ".npz":
        sampling.write_npz(out, images)
    else:
        files.write_atomically(out, mosaic.encode_png(mosaic.tile(images)))
    print(
        f"{parsed.n:,} images in {out}: G's moving average with its running BatchNorm statistics, seed {parsed.seed}"
    )


def _study(parsed) -> None:
    from gan_course import data, portraits, scoring, studies

    study = studies.get(parsed.name)
    path = Path("studies") / f"{study.key}.jsonl" if parsed.out is None else parsed.out
    if parsed.read:
        results = studies.read(study, studies.published(study) if parsed.out is None else path)
    else:
        recipe = study.recipe_of(next(iter(study.arms)))
        name = portraits.NAME if recipe.data == data.FACES else recipe.data  # nobody's photographs, for everybody
        sets = scoring.real_pictures(name, recipe.size, studies.SAMPLES, path=parsed.data)
        print(sets[0].source)
        results = studies.run(study, path, *sets, seeds=parsed.seeds, workers=parsed.workers)
    print(f"{study.key}: {study.about}")
    for measure in parsed.measure or [study.measure]:
        print(studies.summary(study, results, measure))


def _score(parsed) -> None:
    from gan_course import scoring

    print(scoring.score(parsed.name, parsed.against, parsed.n, parsed.seed, inception=parsed.inception))


def _diagnose(parsed) -> None:
    from gan_course import diagnosis

    print(diagnosis.of(parsed.name))


def _publish(parsed) -> None:
    from gan_course import publishing, runs

    if parsed.as_name in ("", ".", "..") or Path(parsed.as_name).name != parsed.as_name:
        raise CourseError(f"NAME {parsed.as_name!r}: a plain name without slashes works, such as mlp-fashion")
    copy = publishing.publish(
        runs.Run(parsed.name), files.assets_dir() / "runs" / parsed.as_name, parsed.snapshots
    )
    size = sum(file.stat().st_size for file in copy.folder.rglob("*") if file.is_file())
    print(f"{copy.folder}: {size / 1e6:.1f} MB")


def _doctor(parsed) -> int:
    from gan_course import doctor

    return doctor.report()


class _Parser(argparse.ArgumentParser):
    """Answers arguments that it cannot read with one line, as everything else here does."""

    def error(self, message: str):
        self.exit(2, f"gan_course: {message}; `{self.prog} --help` shows what works\n")


def _seed(text: str) -> int:
    """A seed for torch's generators."""
    if not (text.isdecimal() and int(text) < 2**32):
        raise argparse.ArgumentTypeError(f"{text!r} is no seed, a whole number from 0 to 2^32 - 1 is one")
    return int(text)


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="python -m gan_course",
        description="Train, sample and inspect the GANs of the course.",
        epilog="example: python -m gan_course train quick-digits",
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def add(name: str, run, about: str, example: str) -> argparse.ArgumentParser:
        made = commands.add_parser(
            name, help=about, description=about, epilog=f"example: python -m gan_course {example}"
        )
        made.set_defaults(run=run)
        return made

    add("recipes", _recipes, "print the table of recipes", "recipes")

    made = add("data", _data, "say what images are found where, and fetch them", "data mnist --fetch")
    made.add_argument(
        "name", nargs="?", help="an image set; all of them by default; celeba is decoded as well"
    )
    made.add_argument("--path", help="a folder to look in first; for celeba, any folder or zip of pictures")
    made.add_argument("--size", type=int, default=64, help="pixels a side, of celeba (default: 64)")
    made.add_argument("--fetch", action="store_true", help="download what is missing into the cache")

    made = add(
        "train", _train, "train a recipe into a folder", "train mlp-fashion --images 600000 --out runs/mlp"
    )
    made.add_argument("recipe", help="its name in the table of recipes")
    made.add_argument("--profile", help="ci, cpu, colab or full; by default as the machine is")
    made.add_argument("--data", metavar="DIR", help="folder that holds the image set")
    made.add_argument("--out", metavar="DIR", help="the run's folder (default: runs/RECIPE-seedN)")
    made.add_argument("--seed", type=_seed, default=0, help="of everything random (default: 0)")
    made.add_argument(
        "--resume", action="store_true", help="go on from the folder's checkpoint, if it has one"
    )
    made.add_argument(
        "--images", type=int, metavar="N", help="real images to see in all (default: the recipe's epochs)"
    )
    made.add_argument(
        "--set", action="append", metavar="FIELD=VALUE", help="change a field of the recipe; repeatable"
    )
    made.add_argument("--quiet", action="store_true", help="no progress bar")

    made = add(
        "sample", _sample, "draw new images from a run", "sample mlp-fashion --n 64 --out grid.png"
    )
    made.add_argument("name", metavar="RUN", help="a run's folder, or the name of a published run")
    made.add_argument("--n", type=int, default=64, help="how many (default: 64)")
    made.add_argument("--seed", type=_seed, default=0, help="of everything random (default: 0)")
    made.add_argument(
        "--out", required=True, help="grid.png, or samples.npz (key `images`, uint8 [N, C, H, W])"
    )

    made = add("study", _study, "compare the arms of a study over seeds", "study precision --seeds 5 --workers 2")
    made.add_argument("name", metavar="NAME", help="its name in the table of studies")
    made.add_argument("--seeds", type=int, default=5, help="runs of each arm (default: 5)")
    made.add_argument("--workers", type=int, default=1, help="runs at the same time (default: 1)")
    made.add_argument("--data", metavar="DIR", help="folder that holds the image set")
    made.add_argument("--out", metavar="FILE", help="its results, one line a run (default: studies/NAME.jsonl)")
    made.add_argument("--measure", action="append", help="a number to print (default: the study's own); repeatable")
    made.add_argument("--read", action="store_true", help="train nothing, print what the file or the course has")

    made = add("score", _score, "measure how good a run's pictures are", "score mlp-fashion --n 5000")
    made.add_argument(
        "name", metavar="RUN", help="a run's folder, the name of a published run, or an .npz of pictures"
    )
    made.add_argument("--against", metavar="SET", help="the real set (default: what the run was trained on)")
    made.add_argument("--n", type=int, default=10_000, help="pictures of each kind (default: 10000)")
    made.add_argument("--seed", type=_seed, default=0, help="of everything random (default: 0)")
    made.add_argument("--inception", action="store_true", help="FID as well, by torchmetrics where it is installed")

    made = add("diagnose", _diagnose, "say whether a run is ill, of what, and what to try", "diagnose runs/mlp")
    made.add_argument(
        "name", metavar="RUN", help="a run's folder, a published run, a log like the DCGAN tutorial's, or a CSV"
    )

    made = add(
        "publish",
        _publish,
        "put a small copy of a run among the course's assets",
        "publish runs/mlp mlp-fashion",
    )
    made.add_argument("name", metavar="RUN", help="a run's folder")
    made.add_argument("as_name", metavar="NAME", help="the name it will be found by")
    made.add_argument(
        "--snapshots", action="store_true", help="with copies of the generator along its training (large)"
    )

    add("doctor", _doctor, "check this machine: packages, device, data, disk", "doctor")
    return parser


if __name__ == "__main__":
    sys.exit(main())
