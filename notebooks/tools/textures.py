"""Train the autoencoders of lesson 08, with and without a patch critic, over seeds, and measure what they paint:

    python notebooks/tools/textures.py [--seeds 3] [--images 24000]      about two minutes of one core a seed

Lesson 08 reads what it leaves in assets/studies/textures.json.
"""

import argparse
import json
import sys
import time
from dataclasses import asdict
from datetime import date

import torch

from gan_course import autoencoder, devices, files, judge, portraits, runs, terminal

FACES, UNSEEN = 4_000, 1_000


def work(seeds: int, images: int) -> None:
    torch.set_num_threads(1)
    faces, unseen = portraits.draw(FACES, 64), portraits.draw(UNSEEN, 64, seed=1)
    found = []
    for seed in range(seeds):
        for weight in (0.0, autoencoder.CRITIC):
            began = time.process_time()
            painter = autoencoder.train(faces.images, weight, images=images, seed=seed)
            seconds = round(time.process_time() - began, 1)
            numbers = {k: float(f"{v:.4g}") for k, v in asdict(autoencoder.measure(painter, unseen.images)).items()}
            found.append({"weight": weight, "seed": seed, **numbers, "seconds": seconds})
            print(found[-1], flush=True)
    kept = {
        "made by": f"python notebooks/tools/textures.py --seeds {seeds} --images {images}",
        "date": date.today().isoformat(),
        "processor": devices.processor(),
        "versions": runs.VERSIONS,
        "judge": judge.VERSION,
        "faces": FACES,
        "unseen": UNSEEN,
        "images": images,
        "weight": autoencoder.CRITIC,
        "runs": found,
    }
    path = files.assets_dir() / "studies" / autoencoder.KEPT
    files.write_atomically(path, (json.dumps(kept) + "\n").encode())
    print(path)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--images", type=int, default=24_000)
    parsed = parser.parse_args()
    sys.exit(terminal.command("textures", lambda: work(parsed.seeds, parsed.images)))
