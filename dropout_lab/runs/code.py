"""Fingerprint of the code that decides a trained weight."""

import hashlib
import json
from functools import cache
from pathlib import Path

import dropout_lab
from dropout_lab.source_code import code_fingerprint

ROOMS = ("data", "models", "training")
"""Packages that decide a trained weight."""

WITHOUT_EFFECT = ("data/fetching.py", "training/cpus.py", "training/processor.py")
"""Modules of `ROOMS` that cannot change a weight."""


@cache
def training_code() -> str:
    """Return 16 hexadecimal digits over the code that trains: equal if only comments or formatting differ."""
    root = Path(dropout_lab.__file__).parent
    sources = [root / "seeds.py", *(path for room in ROOMS for path in sorted((root / room).rglob("*.py")))]
    code = {
        name: code_fingerprint(source.read_text(encoding="utf-8"))
        for source in sources
        if (name := source.relative_to(root).as_posix()) not in WITHOUT_EFFECT
    }
    return hashlib.sha256(json.dumps(code).encode()).hexdigest()[:16]
