"""What a release needs: one version everywhere, links, and workflows that name files that exist."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

import mine

ROOT = Path(__file__).parent.parent


def test_the_citation_names_this_version():
    citation = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    assert re.findall(r'^version: "(.*)"$', citation, re.MULTILINE) == [mine.__version__]
    assert f"## [{mine.__version__}] - " in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


def test_links_of_the_package_are_of_one_repository():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    source = project["urls"]["Source"]
    assert {"Homepage", "Documentation", "Source", "Issues", "Changelog"} <= set(project["urls"])
    assert all(project["urls"][name].startswith(f"{source}/") for name in ("Issues", "Changelog"))
    assert f'repository-code: "{source}"' in (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    assert project["classifiers"] == sorted(set(project["classifiers"]))


def test_the_source_distribution_has_its_files():
    tool = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]
    assert [name for name in tool["hatch"]["build"]["targets"]["sdist"]["include"] if not (ROOT / name).exists()] == []


@pytest.mark.parametrize("path", sorted((ROOT / ".github").rglob("*.yml")), ids=lambda path: path.name)
def test_workflows_and_forms_are_yaml_and_hold_no_secret(path: Path):
    yaml = pytest.importorskip("yaml")
    content = yaml.safe_load(path.read_text(encoding="utf-8"))
    text = path.read_text(encoding="utf-8")
    assert isinstance(content, dict) and "secrets." not in text
    if path.parent.name == "workflows":
        assert content["permissions"] == {"contents": "read"}
        for job in content["jobs"].values():
            assert "timeout-minutes" in job
            assert all(
                step.get("with", {}).get("persist-credentials") is False
                for step in job["steps"]
                if "checkout@" in step.get("uses", "")
            )


def test_the_release_checks_its_version_where_it_is_written():
    release = (ROOT / ".github" / "workflows" / "release.yml").read_text(encoding="utf-8")
    (version,) = re.findall(
        r'^__version__ = "(.*)"$', (ROOT / "src/mine/storage/versions.py").read_text(encoding="utf-8"), re.MULTILINE
    )
    assert version == mine.__version__ and "src/mine/storage/versions.py" in release
