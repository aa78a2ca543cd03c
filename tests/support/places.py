"""Where things lie in a checkout, relative to this file; reads and writes nothing."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CARDS = ROOT / "cards"
TERMINOLOGY = CARDS / "terminology"
CASES = ROOT / "tests" / "cases"
SCHEMAS = ROOT / "cds_service" / "replay" / "schemas"
SAMPLES = ROOT / "fhir_samples"
