"""Print digests of what moving code about must not change: run it before and after, compare.

    python tools/unchanged.py --out build/unchanged-before > before.txt

Two studies (LUDB with its stand-in outcome; 60 virtual patients, all nine models, tiny networks),
200 rows of `measure` and 50 rendered pages, all through the command line. `--python` names another
interpreter, with another version of dyssync installed.
"""

import argparse
import hashlib
import os
import subprocess
import sys
from pathlib import Path

LUDB = Path(__file__).parent.parent.parent / "shared" / "data" / "ludb"
TABLES = ("predictions.csv", "metrics.csv", "explanations/lead_regions.csv")
NINE = (
    "resnet18", "ssl-resnet18", "lightgbm", "logistic", "guideline-esc-2021",
    "guideline-hrs-2023", "qrs-area", "lbbb-strauss", "prevalence",
)  # fmt: skip
TINY = tuple(
    f"--set={name}.{key}={value}"
    for name in ("resnet18", "ssl-resnet18")
    for key, value in (("height", 64), ("width", 64), ("epochs", 2))
)


def main() -> None:
    """Run everything, then print the digests."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--out", type=Path, required=True, help="Folder for the results.")
    arguments.add_argument("--ludb", type=Path, default=LUDB, help="LUDB with cohort_lvh.csv.")
    arguments.add_argument("--python", default=sys.executable)
    given = arguments.parse_args()
    out: Path = given.out
    out.mkdir(parents=True)
    # a lone `python -P` does not see the folder it is called from
    command = [given.python, "-P", "-m", "dyssync"]

    def call(*words: str | Path) -> None:
        told = {**os.environ, "XDG_CACHE_HOME": str(out / "cache")}
        done = subprocess.run(
            [*command, *map(str, words)], env=told, capture_output=True, text=True
        )
        if done.returncode:
            raise SystemExit(f"{' '.join(map(str, words))}: {done.stderr}")

    call(
        "study", "--cohort", given.ludb / "cohort_lvh.csv", "--out", out / "ludb", "--seeds", "3",
        "--models", "lightgbm,logistic,qrs-area,guideline-esc-2021", "--exclude-bad",
    )  # fmt: skip
    call("simulate", "--patients", "60", "--seed", "5", "--out", out / "virtual")
    call(
        "study", "--cohort", out / "virtual" / "cohort.csv", "--out", out / "nine", "--seeds", "2",
        "--preset", "quick", "--models", ",".join(NINE), *TINY,
        "--set=ssl-resnet18.pretraining_passes=1",
    )  # fmt: skip
    virtual = sorted((out / "virtual").rglob("*.hea"))
    real = sorted((given.ludb / "records").rglob("*.hea"))
    # apart, so that no name of a file holds that of the folder
    call("measure", *real[:140], "--out", out / "measured-real.csv")
    call("measure", *virtual, "--out", out / "measured-virtual.csv")
    pages = (("3x4+II", "png"), ("12x1", "svg"), ("6x2", "pdf"), ("tiles", "png"))
    for k, (layout, kind) in enumerate(pages):
        records = (real + virtual)[13 * k : 13 * k + (13 if k < 3 else 11)]
        target = out / f"pages-{kind}-{k}"
        call("render", *records, "--layout", layout, "--format", kind, "--out", target)

    files = [out / run / table for run in ("ludb", "nine") for table in TABLES]
    files += [*sorted(out.glob("measured-*.csv")), *sorted(out.glob("pages-*/*"))]
    for file in files:
        print(hashlib.sha256(file.read_bytes()).hexdigest(), file.relative_to(out).as_posix())


if __name__ == "__main__":
    main()
