"""How random the dropout masks are: the dieharder battery on their bits, and correlations between masks.

    apt-get install dieharder
    python benchmarks/masks.py            # about an hour and a half
    python benchmarks/masks.py --quick    # two minutes: the fastest tests
    python benchmarks/masks.py --write    # and into RESULTS.md

dieharder (Robert G. Brown) reads an endless stream; three are made, by the functions that the fast engine
calls: `words`, the generator's 32-bit words as training takes them, step after step; `interleaved`, one word
in turn from two layers, two seeds and two steps, which shows what masks of different layers, seeds or steps
have in common; and `mask`, the bits of masks at rate 0.5. All of dieharder's tests are run but those that its
own list calls suspect or not to be used. A good generator is WEAK (p outside 0.005 to 0.995) in 1 of 100.
"""

import argparse
import contextlib
import itertools
import shutil
import subprocess
import sys
from collections.abc import Iterator

import numpy as np
import tensorflow as tf

from dropout_lab.seeds import derive_seed
from dropout_lab.training.engines.masks import example_keys, keep_mask, kept, random_words, threshold
from results import machine, markdown_table, write_section

TESTS = [0, 1, 2, 3, 4, 8, 9, 10, 11, 12, 13, 15, 16, 17, 100, 101, 102, *range(200, 210)]
QUICK_TESTS = [0, 8, 15, 100, 101]
BATCH_SIZE = 200
WINDOWS = (14, 14, 32)
LAYER_SHAPE = (BATCH_SIZE, 28, 28, 32)


@tf.function(jit_compile=True)
def words_of(layer_seed: int, step: tf.Tensor) -> tf.Tensor:
    return random_words(example_keys(layer_seed, step, 0, BATCH_SIZE), WINDOWS)


@tf.function(jit_compile=True)
def kept_of(layer_seed: int, step: tf.Tensor) -> tf.Tensor:
    words = random_words(example_keys(layer_seed, step, 0, BATCH_SIZE), WINDOWS)
    return tf.stack([kept(words, element, threshold(0.5)) for element in range(4)])


def words(step: int, layer: str = "dropout", run_seed: int = 0) -> np.ndarray:
    """Return all words of one layer's mask in one step."""
    return words_of(derive_seed(run_seed, "mask", layer), tf.constant(step, tf.int64)).numpy().ravel()


def word_stream() -> Iterator[bytes]:
    return (words(step).tobytes() for step in itertools.count())


def interleaved_stream() -> Iterator[bytes]:
    for step in itertools.count(step=2):
        parts = [words(step), words(step, "dropout_1"), words(step, run_seed=1), words(step + 1)]
        yield np.stack(parts, axis=1).tobytes()


def mask_stream() -> Iterator[bytes]:
    for step in itertools.count():
        mask = kept_of(derive_seed(0, "mask", "dropout"), tf.constant(step, tf.int64))
        yield np.packbits(mask.numpy()).tobytes()


STREAMS = {"words": word_stream, "interleaved": interleaved_stream, "mask": mask_stream}


def dieharder(stream: Iterator[bytes], test: int) -> list[list[str]]:
    """Run one test on `stream`; return rows of name, parameter, samples, repetitions, p-value, judgement."""
    columns = ["test_name", "ntuple", "tsamples", "psamples", "pvalues", "assessment"]
    command = ["dieharder", "-g", "200", "-d", str(test)]
    command += [part for column in columns for part in ("-D", column)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdin and process.stdout
    with contextlib.suppress(BrokenPipeError):
        for chunk in stream:
            process.stdin.write(chunk)
    with contextlib.suppress(BrokenPipeError):
        process.stdin.close()
    lines = process.stdout.read().decode().splitlines()
    process.wait()
    rows = [[cell.strip() for cell in line.split("|")] for line in lines]
    return [row for row in rows if len(row) == len(columns)]


def battery(streams: list[str], tests: list[int]) -> str:
    rows = []
    for name in streams:
        for test in tests:
            for row in dieharder(STREAMS[name](), test):
                rows.append([name, *row])
                print(*rows[-1], file=sys.stderr, flush=True)
    judgements = [row[-1] for row in rows]
    counts = ", ".join(f"{judgements.count(word)} {word}" for word in ("PASSED", "WEAK", "FAILED"))
    header = ("stream", "test", "parameter", "samples", "repetitions", "p-value", "judgement")
    return f"dieharder, {len(rows)} p-values: {counts}.\n\n{markdown_table(header, rows)}"


def correlations() -> str:
    """Correlate the masks of 2 seeds, 2 layers and 8 steps, every pair of them, at two rates."""
    rows = []
    for rate in (0.2, 0.5):
        chosen = itertools.product((0, 1), ("dropout", "dropout_1"), (*range(7), 2999))
        masks = np.stack(
            [
                keep_mask(seed, layer, rate, step, (20, *LAYER_SHAPE[1:]), before_pooling=True).ravel()
                for seed, layer, step in chosen
            ]
        ).astype(np.float32)
        pairs = np.corrcoef(masks)[np.triu_indices(len(masks), 1)] * np.sqrt(masks.shape[1])
        # The largest of n absolute standard normal values is about sqrt(2 ln n) for large n.
        expected = np.sqrt(2 * np.log(len(pairs)))
        cells = (
            str(rate),
            str(len(pairs)),
            f"{pairs.std():.3f}",
            f"{np.abs(pairs).max():.2f}",
            f"{expected:.2f}",
        )
        rows.append(cells)
    header = (
        "rate",
        "pairs of masks",
        "standard deviation (1 if independent)",
        "largest",
        "largest expected",
    )
    return (
        "Correlations between masks of different seeds, layers or steps, times the root of their size:\n\n"
        + markdown_table(header, rows)
    )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="only the fastest tests")
    parser.add_argument("--write", action="store_true", help="write the result into RESULTS.md")
    options = parser.parse_args()
    if shutil.which("dieharder") is None:
        sys.exit("dieharder is not installed: apt-get install dieharder")
    text = correlations() + "\n"
    text += battery(list(STREAMS), QUICK_TESTS if options.quick else TESTS)
    text += f"\n{machine()}\n"
    print(text)
    if options.write:
        write_section("Masks", text, are_times=False)


if __name__ == "__main__":
    main()
