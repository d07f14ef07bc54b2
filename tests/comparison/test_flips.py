from dataclasses import replace

import numpy as np

from dropout_lab.comparison.flips import find_flips

LABELS = np.array([0, 1, 2, 1])


def probabilities(classes: list[int]) -> np.ndarray:
    return np.eye(3)[classes]


def test_images_that_flip_at_most_seeds_are_found_in_both_directions(make_run):
    runs, predictions = [], {}
    for seed in range(5):
        for condition, classes in (
            # Image 0 is gained at 4 of 5 seeds, image 1 at 3, image 2 lost at all; image 3 never differs.
            ("baseline", [2 if seed else 0, 1 if seed < 2 else 0, 2, 1]),
            ("dropout", [0, 1, 1 if seed else 0, 1]),
        ):
            run = make_run(condition, seed)
            runs.append(run)
            predictions[run.run_id] = (probabilities(classes), LABELS)
    (flips,) = find_flips(runs, predictions, ["baseline", "dropout"], "baseline")
    assert (flips.condition, flips.num_pairs, flips.min_seeds) == ("dropout", 5, 4)
    found = [(one.image, one.label, one.is_gained, one.num_seeds, one.mistaken_for) for one in flips.images]
    assert found == [(2, 2, False, 5, 1), (0, 0, True, 4, 2)]

    assert find_flips(runs[:8], predictions, ["baseline", "dropout"], "baseline") == (), "too few pairs"
    other = {**predictions, runs[0].run_id: (probabilities([0, 1, 2, 1]), LABELS[::-1])}
    assert find_flips(runs, other, ["baseline", "dropout"], "baseline") == (), "other images"


def test_runs_without_predictions_or_twins_are_left_out(make_run):
    runs = [make_run("dropout", seed) for seed in range(6)]
    predictions = {run.run_id: (probabilities([0, 1, 2, 1]), LABELS) for run in runs}
    assert find_flips(runs, predictions, ["baseline", "dropout"], "baseline") == ()
    twins = [*runs, *(replace(run, condition="baseline", run_id=f"b{run.seed}") for run in runs)]
    assert find_flips(twins, predictions, ["baseline", "dropout"], "baseline") == ()
