"""Pictures of the terminal and of the report: ``python docs/figures/pictures.py``; needs chromium.

The terminal shows the README's command with the output printed there. The report is that of the first tutorial.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tempfile
from html import escape
from pathlib import Path

DOCS = Path(__file__).parents[1]
TERMINAL = """<!doctype html><meta charset="utf-8"><style>
body {{ margin: 0; padding: 24px; background: #eef1f4 }}
main {{ background: #17212b; border-radius: 10px; box-shadow: 0 6px 22px #0005; overflow: hidden }}
header {{ background: #2a3947; padding: 11px 14px; display: flex; gap: 8px }}
header i {{ width: 13px; height: 13px; border-radius: 50%; background: #6b7f91 }}
pre {{ margin: 0; padding: 16px 18px 20px; color: #dbe4ec; font: 15px/1.5 "DejaVu Sans Mono", monospace }}
b {{ color: #7fd1ff }}
</style><main><header><i></i><i></i><i></i></header><pre>{text}</pre></main>"""


def readme_command() -> tuple[str, str]:
    """The command of the README without the installation in front of it, and its output."""
    text = (DOCS.parent / "README.md").read_text(encoding="utf-8")
    found = re.search(r"^pip install \. && (mine [^\n]*)\n```\n\n```text\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    assert found is not None
    return found[1], found[2]


def photograph(page: Path, picture: Path, width: int, height: int) -> None:
    browser = shutil.which("chromium") or "google-chrome"
    subprocess.run(
        [
            browser, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", f"--window-size={width},{height}",
            f"--screenshot={picture}", page.as_uri(),
        ],
        check=True, capture_output=True,
    )  # fmt: skip


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        command, output = readme_command()
        page = Path(folder) / "terminal.html"
        text = f"<b>$</b> {escape(command)}\n{escape(output)}<b>$</b> "
        page.write_text(TERMINAL.format(text=text), encoding="utf-8")
        photograph(page, DOCS / "_static/terminal.png", 1130, 300)
        report = Path(folder) / "report.html"
        subprocess.run(
            [sys.executable, "-m", "mine", "report", "example:diabetes", "--target", "progression", "-o", str(report)],
            check=True,
        )
        photograph(report, DOCS / "_static/report.png", 1280, 1000)


if __name__ == "__main__":
    main()
