"""Show a report as a browser does: PNG screenshots at 1280 and 400 px, made by headless Chromium.

    .venv/bin/python tools/screenshot_report.py OUT [RUN]

Without RUN, the small run that the tests keep is shown.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

from dyssync.report import write_report
from dyssync.study.results import StudyResults

EXAMPLE = Path(__file__).parent.parent / "tests" / "golden" / "run"
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
)


def screenshot(page: Path, png: Path, width: int, height: int) -> None:
    """Save what the browser shows of `page` in a window of that size."""
    with tempfile.TemporaryDirectory() as profile:
        subprocess.run(
            [
                "chromium",
                *FLAGS,
                f"--user-data-dir={profile}",
                f"--window-size={width},{height}",
                f"--screenshot={png}",
                page.resolve().as_uri(),
            ],
            check=True,
            stderr=subprocess.DEVNULL,
        )


def narrow(report: Path, width: int, height: int) -> Path:
    """Write a page with the report in a frame: no window is narrower than about 500 px."""
    page = report.with_name("narrow.html")
    page.write_text(
        f'<body style="margin:0;background:#888"><iframe width={width} height={height} '
        f'style="border:0;background:#fff" src="{report.name}"></iframe>',
        encoding="utf-8",
    )
    return page


def main() -> None:
    """Write the report and its screenshots."""
    out = Path(sys.argv[1])
    out.mkdir(parents=True, exist_ok=True)
    run = Path(sys.argv[2]) if len(sys.argv) > 2 else EXAMPLE
    report = write_report(StudyResults.read(run), out)
    height = 11000
    screenshot(report, out / "wide.png", 1280, height)
    screenshot(narrow(report, 400, 2 * height), out / "narrow.png", 520, 2 * height)
    print(report)


if __name__ == "__main__":
    main()
