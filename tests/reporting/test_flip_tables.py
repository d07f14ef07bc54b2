from dropout_lab.comparison.flips import Flip, Flips
from dropout_lab.reporting.flip_tables import MAX_IMAGES, flip_table


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
