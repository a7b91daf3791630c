"""``python -m reconciler.simulation --seeds 10000 --jobs 2``: many histories at once, for CI."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from functools import partial

from reconciler.simulation.run import STEPS, Result, minimised, run_seed, tell, world_of

CHUNK = 25
MOST_TOLD = 3
"""How many broken histories are told in full; of the others only the seed."""


def main(argv: Sequence[str] | None = None) -> int:
    asked = _arguments().parse_args(argv)
    seeds = range(asked.seed, asked.seed + asked.seeds)
    broken: list[Result] = []
    passes = writes = 0
    for done, result in enumerate(_results(seeds, asked), 1):
        passes, writes = passes + result.passes, writes + result.writes
        if result.broken:
            broken.append(result)
            sys.stdout.write(f"seed {result.seed} with {world_of(result)}: {result.broken}\n")
        if sys.stderr.isatty() and done % CHUNK == 0:
            sys.stderr.write(f"\r{done} of {len(seeds)}")
    for result in broken[:MOST_TOLD]:
        tell(result, sys.stdout, minimised)
    sys.stdout.write(
        f"{len(seeds)} histories of {asked.steps} steps: {passes} passes, {writes} live writes; "
        f"{len(broken)} with a broken promise\n"
    )
    return 1 if broken else 0


def _results(seeds: range, asked: argparse.Namespace) -> Iterator[Result]:
    """In the order of the seeds; without their traces, where they went well."""
    run = partial(_run, asked.steps, asked.replicas)
    if asked.jobs <= 1:
        yield from map(run, seeds)
        return
    with ProcessPoolExecutor(asked.jobs) as pool:
        yield from pool.map(run, seeds, chunksize=CHUNK)


def _run(steps: int, replicas: int | None, seed: int) -> Result:
    result = run_seed(seed, steps, replicas=replicas)
    return result if result.broken else replace(result, trace=())


def _arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m reconciler.simulation", description=__doc__)
    parser.add_argument("--seed", type=int, default=0, help="the first seed")
    parser.add_argument("--seeds", type=int, default=100, help="how many")
    parser.add_argument("--steps", type=int, default=STEPS, help="of each history")
    parser.add_argument("--replicas", type=int, choices=(2, 3), help="git and Letta; or Open WebUI too; else by turns")
    parser.add_argument("--jobs", type=int, default=1, help="processes")
    return parser


if __name__ == "__main__":
    sys.exit(main())
