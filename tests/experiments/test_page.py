"""The page of all results: every number from the result files, verdicts by hand, and the page of the docs as it would be written."""

from __future__ import annotations

import base64
import importlib.util
import json
import math
import re
from dataclasses import asdict, replace
from html.parser import HTMLParser
from io import BytesIO
from pathlib import Path
from types import ModuleType

import pytest

from mine.errors import InputError
from mine.experiments import Experiment, Metric
from mine.experiments.levels import published_levels
from mine.experiments.page import as_html, as_markdown, find_results, read_section, write_pages
from mine.experiments.store import Record
from mine.experiments.summary import code_notes
from mine.experiments.targets import Target, Value, Values, beats, judge, leads, reaches

DOCS = Path(__file__).parents[2] / "docs"
PNG = base64.b64decode("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAQAAAC1HAwCAAAAC0lEQVR42mNk+A8AAQUBAScY42YAAAAASUVORK5CYII=")

TOY = Experiment(
    "toy", "A & B.", "nobody", {"one": {}, "two": {}}, {"smoke": None, "default": None, "paper": None},
    {"smoke": 0.1, "default": 1, "paper": 1},
    [
        Metric("hits", "hits (%)", 1, 100, {"one": "50 ± 1", "two": "95.5 (v1), 93.1 (v2)", "three": "7"}, "more"),
        Metric("cost", "cost|m", 2),
    ],
    lambda *_: {}, lambda *_: [],
    [
        leads("two hits more", "two", "one", "hits"),
        reaches("two costs 1 at most", lambda of: of("two", "cost").mean, most=1),
        Target("three is there", lambda of: of("three", "hits").mean > 0),
    ],
    seen=lambda of: f"Two hits {of('two', 'hits').mean:.0%}, one {of('one', 'hits').mean:.0%}.",
    limits="It is a toy.",
)  # fmt: skip


def record(arm: str, seed: int, hits: float, cost: float, scale: str = "default", error: str | None = None) -> Record:
    metrics = {} if error else {"hits": hits, "cost": cost}
    return Record("toy", scale, arm, seed, {}, 1, 2, "3.0", metrics, 90.0, "a machine", error)


RECORDS = [
    record("one", 0, 0.4, 1.0),
    record("one", 1, 0.6, 3.0),
    record("two", 0, 0.8, 2.0),
    record("two", 1, 1.0, 2.0),
    record("two", 2, 0, 0, error="step 3: nan"),
]


@pytest.fixture
def results(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr("mine.experiments.registry._experiments", lambda: {"toy": TOY})
    for scale, records in {"default": RECORDS, "smoke": [record("one", 0, 0.5, 1, "smoke")]}.items():
        folder = tmp_path / "toy" / scale
        folder.mkdir(parents=True)
        (folder / "results.json").write_text(json.dumps([asdict(one) for one in records]))
        (folder / "table.csv").write_text("experiment\n")
    (tmp_path / "toy" / "default" / "figure.png").write_bytes(PNG)
    (tmp_path / "toy" / "default" / "curves.png").write_bytes(PNG + b"2")
    return tmp_path


def test_the_section_by_hand(results: Path) -> None:
    section = read_section(results / "toy" / "default")
    # one: 40 and 60, mean 50, standard error 10; 1 and 3, mean 2, standard error 1
    assert section.rows == [
        ["one", "2", "50.0 ± 10.0", "2.00 ± 1.00", "1.5"],
        ["one, published", "", "50 ± 1", "", ""],
        ["two", "2", "90.0 ± 10.0", "2.00 ± 0.00", "1.5"],
        ["two, published", "", "95.5 (v1), 93.1 (v2)", "", ""],
    ]
    # 0.9 - 0.5 = 0.4 > 2 sqrt(0.1^2 + 0.1^2) = 0.283; 0.4 / 0.1414 = 2.8
    assert section.verdict == [
        ("two hits more", "met", "ahead by 2.8 standard errors"),
        ("two costs 1 at most", "missed", "2.00"),
        ("three is there", "not measured", ""),
    ]
    # the better one of two published numbers counts; three was not run
    assert section.levels == [
        ("one, hits (%): published 50 ± 1", "met", "50.0"),
        ("two, hits (%): published 95.5 (v1), 93.1 (v2)", "missed", "90.0"),
    ]
    assert section.seen == "Two hits 90 %, one 50 %." and section.minutes == 1.5
    assert "Failed: two, seed 2: step 3: nan." in section.facts
    assert "default scale, 3 seeds." in section.facts
    assert section.facts[-1] == "`mine reproduce toy --scale default --repeats 3 --out results`"


def test_the_page_opens_with_one_row_per_experiment(results: Path) -> None:
    sections = [read_section(folder) for folder in find_results(results)]
    opening = as_markdown(sections, "there").split("\n\n")[2].splitlines()
    assert opening == [
        "| experiment | measure | published | ours | verdict | minutes |",
        "| --- | --- | --- | --- | --- | --: |",
        (
            "| toy, default scale | hits (%) | one 50 ± 1; two 95.5 (v1), 93.1 (v2) | one 50.0 ± 10.0; two 90.0 ± 10.0 "
            "| 1 of 2 published levels; 1 of 3 targets | 1.5 |"
        ),
        "| toy, smoke scale | hits (%) | one 50 ± 1 | one 50.0 | no target | 1.5 |",
    ]
    smoke = sections[1]
    assert smoke.seen == "A & B." and smoke.levels == [] and smoke.verdict == []
    # without the other arm the sentence has no numbers to name
    assert judge(TOY.targets, RECORDS[:2])[1] == ("two costs 1 at most", "not measured", "")


def test_a_level_needs_a_direction_and_takes_the_best_number() -> None:
    def said(published: str, better: str, hits: float) -> list[str]:
        metric = Metric("hits", "hits", 1, 1, {"one": published}, better)
        return [one.said for one in published_levels(replace(TOY, metrics=[metric]), [record("one", 0, hits, 0)])]

    assert said("17.3 ± 99", "more", 17.3) == ["met"] and said("17.3 ± 0.1", "less", 17.4) == ["missed"]
    assert said("1.37 (v1), 1.13 (v5)", "less", 1.2) == ["missed"] and said("about 1,000", "more", 999) == ["missed"]
    assert said("5", "", 5) == [] and said("–", "more", 5) == []


def test_the_command_names_the_first_seed(tmp_path: Path, results: Path) -> None:
    path = results / "toy" / "default" / "results.json"
    path.write_text(json.dumps([asdict(record("one", seed, 0.5, 1.0)) for seed in (3, 4, 5)]))
    facts = read_section(path.parent).facts
    assert facts[-1] == "`mine reproduce toy --scale default --repeats 3 --seed 3 --out results`"


def test_arms_are_named_where_two_codes_gave_the_numbers() -> None:
    one, two = record("one", 0, 0.5, 1.0), replace(record("two", 0, 0.5, 1.0), numerics=7)
    code = "version 1 of the experiment, numerics {}, torch-mine 3.0"
    assert code_notes([one, one]) == [f"Code: {code.format(2)}."]
    assert code_notes([one, two]) == [f"Code of one: {code.format(2)}.", f"Code of two: {code.format(7)}."]


def test_two_standard_errors() -> None:
    assert beats(Value(1.0, 0.3), Value(0.0, 0.4)) is False  # 1.0 is twice hypot(0.3, 0.4), not more
    assert beats(Value(1.01, 0.3), Value(0.0, 0.4)) is True
    assert beats(Value(0.0, 0.3), Value(1.01, 0.4), less=True) is True
    assert beats(Value(5.0, 0.3), Value(1.0, math.nan)) is None
    value = Values([record("one", seed, hits, 0) for seed, hits in enumerate((2.0, 4.0, 6.0, 8.0))])("one", "hits")
    assert value.mean == 5.0 and value.error == pytest.approx(math.sqrt(20 / 3) / 2)
    assert judge(TOY.targets, RECORDS[:1] + RECORDS[2:3])[0] == ("two hits more", "not measured", "a single seed")


def test_markdown(results: Path) -> None:
    assert find_results(results) == [results / "toy" / "default", results / "toy" / "smoke"]
    text = as_markdown([read_section(folder) for folder in find_results(results)], "there")
    assert "| arm | seeds | hits (%) | cost\\|m | minutes |\n| --- | --: | --: | --: | --: |\n| one | 2 | 50.0 ± 10.0 |" in text
    assert (
        "- **missed**: two, hits (%): published 95.5 (v1), 93.1 (v2) (measured: 90.0).\n"
        "- **met**: two hits more (measured: ahead by 2.8 standard errors).\n"
        "- **missed**: two costs 1 at most (measured: 2.00).\n- **not measured**: three is there.\n"
    ) in text
    assert "## toy, default scale\n\nTwo hits 90 %, one 50 %.\n\n![A & B.]" in text and "\n\nLimits: It is a toy.\n\n" in text
    assert (
        "![A & B.](there/toy-default.png)\n\n![A & B: curves.](there/toy-default-curves.png)" in text
        and "toy-smoke" not in text
    )
    assert "paper / this run" not in text
    smoke = text[text.index("## toy, smoke scale") :]
    assert "- No verdict: the smoke scale" in smoke and "met" not in smoke


class Reader(HTMLParser):
    """Cells of tables, addresses of images, and whether tags are closed in turn."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.cells: list[str] = []
        self.images: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "img":
            self.images.append(dict(attrs)["src"] or "")
        if tag in ("td", "th"):
            self.cells.append("")
        if tag not in ("img", "meta"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] in ("td", "th"):
            self.cells[-1] += data


def test_html_needs_no_other_file(results: Path) -> None:
    text = as_html([read_section(results / "toy" / "default")])
    reader = Reader()
    reader.feed(text)
    assert reader.open == [] and reader.cells[:6] == ["experiment", "measure", "published", "ours", "verdict", "minutes"]
    assert reader.cells[12:22] == [
        "arm",
        "seeds",
        "hits (%)",
        "cost|m",
        "minutes",
        "one",
        "2",
        "50.0 ± 10.0",
        "2.00 ± 1.00",
        "1.5",
    ]
    assert [base64.b64decode(image.removeprefix("data:image/png;base64,")) for image in reader.images] == [PNG, PNG + b"2"]
    assert 'alt="A &amp; B."' in text and "Two hits 90 %" in text and "<strong>missed</strong>" in text and "**" not in text
    assert not re.search(r"(src|href)=\"(?!data:)", text)


def test_the_pages_of_a_folder(results: Path) -> None:
    files = write_pages(results)
    assert [file.name for file in files] == ["reproduction.md", "reproduction.html"] and all(file.is_file() for file in files)
    links = re.findall(r"!\[.*?\]\((.*?)\)", files[0].read_text())
    assert [(results / link).read_bytes() for link in links] == [PNG, PNG + b"2"]
    with pytest.raises(InputError, match="has no results: name a folder"):
        write_pages(results / "toy")
    (results / "toy" / "smoke" / "results.json").write_text("[]")
    with pytest.raises(InputError, match=r"results\.json is not a result file"):
        write_pages(results)


def script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("reproduction_script", DOCS / "reproduction.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_page_of_the_documentation_is_what_its_result_files_give() -> None:
    assert (DOCS / "reproduction.md").read_text(encoding="utf-8") == script().page()


def test_wide_figures_are_made_smaller(tmp_path: Path) -> None:
    from PIL import Image

    Image.new("RGB", (2800, 900), (200, 30, 60)).save(tmp_path / "wide.png")
    with Image.open(BytesIO(script()._smaller(tmp_path / "wide.png"))) as image:
        assert image.size == (1400, 450) and image.getpixel((700, 200)) == (200, 30, 60)


def test_results_are_taken_over_into_the_documentation(results: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    module = script()
    docs = tmp_path / "docs"
    monkeypatch.setattr(module, "RESULTS", docs / "results")
    monkeypatch.setattr(module, "FIGURES", docs / "figures")
    monkeypatch.setattr(module, "PAGE", docs / "reproduction.md")
    (results / "toy" / "smoke" / "results.json").unlink()
    module.main([str(results)])
    kept = docs / "results" / "toy" / "default"
    assert sorted(path.name for path in kept.iterdir()) == ["results.json", "table.csv"]
    for name, content in {"toy-default.png": PNG, "toy-default-curves.png": PNG + b"2"}.items():
        assert (docs / "figures" / name).read_bytes() == content
    first = (docs / "reproduction.md").read_text()
    assert "| two | 2 | 90.0 ± 10.0 | 2.00 ± 0.00 |" in first and first.count("(_static/reproduction/toy-default") == 2
    module.main([])  # without a folder: the same page from what is kept
    assert (docs / "reproduction.md").read_text() == first
    # a figure of another number is another page
    changed = [asdict(replace(one, metrics={"hits": 0.9, "cost": 1.0})) for one in RECORDS[:4]]
    (kept / "results.json").write_text(json.dumps(changed))
    assert module.page() != first
    with pytest.raises(SystemExit, match="has no results"):
        module.main([str(tmp_path / "nowhere")])
