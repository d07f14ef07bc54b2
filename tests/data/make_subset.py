"""Makes tests/data/fashion-mnist, the first images of Fashion-MNIST: ``python tests/data/make_subset.py``."""

import gzip
import hashlib
from pathlib import Path

import numpy as np

from dropout_lab.learning.data_files import CHECKSUM_FILE, locate, read_files

NUM_IMAGES = {"train": 1000, "t10k": 500}
TARGET = Path(__file__).parent / "fashion-mnist"

folder = locate()
if folder is None:
    raise SystemExit("expected the whole dataset: see `dropout-lab data`")
sums = ""
for name, file in read_files(folder).items():
    values = file.values[: NUM_IMAGES[name.split("-")[0]]]
    header = np.array([0x0800 + values.ndim, *values.shape], dtype=">u4")
    raw = header.tobytes() + values.tobytes()
    (TARGET / f"{name}.gz").write_bytes(gzip.compress(raw, mtime=0))
    sums += f"{hashlib.sha256(raw).hexdigest()}  {name}\n"
(TARGET / CHECKSUM_FILE).write_text(sums, encoding="utf-8")
