"""The modules of examples/folder, as its programs see them."""

from __future__ import annotations

import sys
from pathlib import Path

FOLDER = Path(__file__).resolve().parent.parent.parent / "examples" / "folder"
sys.path.insert(0, str(FOLDER))
sys.path.insert(0, str(Path(__file__).resolve().parent))
