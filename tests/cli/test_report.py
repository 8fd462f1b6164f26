"""``mine report``: the page it writes, and what it refuses."""

from __future__ import annotations

from pathlib import Path

from typer.testing import CliRunner

from mine.cli.app import app


def test_the_command(tmp_path: Path):
    out = tmp_path / "report.html"
    arguments = ["report", "example:diabetes", "--columns", "sex,bmi,bp", "--target", "progression", "-o", str(out)]
    done = CliRunner().invoke(app, arguments)
    assert done.exit_code == 0, done.output
    text = out.read_text(encoding="utf-8")
    assert text.startswith("<!DOCTYPE html>")
    assert "example:diabetes" in text
    assert done.stdout.startswith("Written: ")
    for wrong, message in (("report.pdf", "end the name in .html"), ("none/report.html", "there is no such folder")):
        failed = CliRunner().invoke(app, [*arguments[:-1], str(tmp_path / wrong)])
        assert failed.exit_code == 2
        assert message in " ".join(failed.stderr.split())
