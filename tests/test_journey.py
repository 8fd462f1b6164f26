"""The picture of the design page shows the way that ``mine estimate`` really takes."""

from __future__ import annotations

import html
import importlib
import importlib.util
import inspect
import re
import sys
from collections import defaultdict
from itertools import pairwise
from pathlib import Path
from types import CodeType, FrameType, ModuleType
from typing import Any

import pytest
from typer.testing import CliRunner

import mine
from mine.cli.app import app

FIGURES = Path(__file__).parents[1] / "docs" / "figures"
FOLDER = str(Path(mine.__file__).parent)


@pytest.fixture
def journey(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The script that draws the picture."""
    spec = importlib.util.spec_from_file_location("journey", FIGURES / "journey.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "journey", module)
    spec.loader.exec_module(module)
    return module


class Calls:
    """The calls of functions of the package, in their order."""

    def __init__(self) -> None:
        self.codes: list[CodeType] = []
        self.at: dict[str, list[int]] = defaultdict(list)

    def record(self, frame: FrameType, event: str, _: Any) -> None:
        """For ``sys.setprofile``; the bodies of modules and classes are no functions and do not count."""
        if event == "call" and frame.f_code.co_flags & inspect.CO_OPTIMIZED and frame.f_code.co_filename.startswith(FOLDER):
            self.codes.append(frame.f_code)

    def finish(self) -> None:
        """List the calls by file, by file and function, and by file and class."""
        for i, code in enumerate(self.codes):
            file, name = Path(code.co_filename).relative_to(FOLDER).as_posix(), code.co_qualname
            for key in {file, f"{file} {name}", f"{file} {name.split('.')[0]}"}:
                self.at[key].append(i)

    def first(self, stop: Any) -> int:
        calls = self.at[f"{stop.file} {stop.name}"]
        assert calls, f"{stop.name} of {stop.file} is never called"
        return calls[0]


@pytest.fixture
def calls(journey: ModuleType) -> Calls:
    """What ``mine estimate`` calls."""
    stops = [stop for group in journey.STOPS.values() for stop in group]
    for stop in stops:
        importlib.import_module("mine." + stop.file.removesuffix(".py").replace("/", "."))
    calls, before = Calls(), sys.getprofile()
    sys.setprofile(calls.record)
    try:
        done = CliRunner().invoke(app, journey.TRACED)
    finally:
        sys.setprofile(before)
    assert done.exit_code == 0, done.output
    assert re.match(r"Estimate: \S+ ± \S+ nats", done.stdout)
    calls.finish()
    return calls


def test_the_command_calls_the_stops_in_their_order(journey: ModuleType, calls: Calls):
    stops = [stop for group in journey.STOPS.values() for stop in group]
    called = {f"{stop.file} {stop.name}": calls.first(stop) for stop in stops}
    assert list(called) == sorted(called, key=called.__getitem__)
    for stop, following in pairwise(stops):
        for file in re.findall(r"[\w/]+\.py", stop.text):
            between = [i for i in calls.at[file] if calls.first(stop) < i < calls.first(following)]
            assert between, f"{stop.file} does not use {file}"


def test_the_picture_shows_the_stops(journey: ModuleType):
    """matplotlib writes each text of an SVG file into a comment, in the order of drawing."""
    comments = re.findall(r"<!-- (.*?) -->", journey.PICTURE.read_text(encoding="utf-8"))
    drawn = [html.unescape(text).replace("- -", "--") for text in comments]
    numbers = iter(range(1, 100))
    expected = []
    for group, stops in journey.STOPS.items():
        expected.append(group)
        for stop in stops:
            expected += [str(next(numbers)), stop.file, stop.name, stop.text]
    assert drawn == expected


def test_the_script_draws_it_the_same_way(journey: ModuleType, tmp_path: Path):
    journey.draw(tmp_path / "once.svg")
    journey.draw(tmp_path / "twice.svg")
    assert (tmp_path / "once.svg").read_bytes() == (tmp_path / "twice.svg").read_bytes()
