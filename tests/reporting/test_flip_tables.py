import io

import numpy as np
from PIL import Image

from dropout_lab.comparison.compare import compare_runs
from dropout_lab.comparison.flips import Flip, Flips
from dropout_lab.reporting.flip_tables import MAX_IMAGES, flip_table, flip_tables
from dropout_lab.reporting.report import render_report


def flip(image: int, *, is_gained: bool) -> Flip:
    return Flip(image=image, label=0, is_gained=is_gained, num_seeds=9, mistaken_for=1)


def test_each_row_tells_who_is_right():
    images = (flip(7, is_gained=True), flip(8, is_gained=False))
    table = flip_table(
        Flips(condition="dropout", num_pairs=10, min_seeds=8, images=images), "none", ["shirt"]
    )
    assert table.rows == (
        ("7", "shirt", "dropout", "class 1", "9"),
        ("8", "shirt", "none", "class 1", "9"),
    )
    assert (
        "at least 8 of 10 seeds: 1 that only dropout gets right, 1 that only none gets right" in table.title
    )


def test_a_long_list_is_cut_and_says_so():
    images = tuple(flip(image, is_gained=True) for image in range(100))
    table = flip_table(Flips(condition="dropout", num_pairs=10, min_seeds=8, images=images), "none", [])
    assert len(table.rows) == MAX_IMAGES
    assert (
        f"100 that only dropout gets right, 0 that only none gets right; the first {MAX_IMAGES}"
        in table.title
    )


def test_the_images_are_read_once_and_only_if_some_flip(make_run):
    runs = [make_run(name, seed, test_accuracy=0.9) for name in ("baseline", "dropout") for seed in range(5)]
    labels = np.zeros(3, dtype=np.uint8)
    right, wrong = np.eye(2)[[0, 0, 0]], np.eye(2)[[0, 1, 0]]
    same = {run.run_id: (right, labels) for run in runs}
    flipped = same | {run.run_id: (wrong, labels) for run in runs if run.condition == "dropout"}
    images = np.arange(3 * 4, dtype=np.uint8).reshape(3, 2, 2, 1)
    calls = []

    def read():
        calls.append(1)
        return images

    comparison = compare_runs(runs)
    (none,) = flip_tables(comparison, same, [], read)
    assert (none.table.rows, dict(none.thumbnails), calls) == ((), {}, [])
    (found,) = flip_tables(comparison, flipped, ["shirt"], read)
    assert calls == [1]
    assert [row[0] for row in found.table.rows] == list(found.thumbnails) == ["1"]
    shown = np.asarray(Image.open(io.BytesIO(found.thumbnails["1"])))
    assert np.array_equal(shown, np.rint(images[1, ..., 0] * (255 / 11)))
    (unread,) = flip_tables(comparison, flipped, ["shirt"])
    assert unread.table == found.table
    assert not unread.thumbnails

    html = render_report(comparison, predictions=flipped, read_images=read)
    assert html.count('<img alt="" src="data:image/png;base64,') == 1
