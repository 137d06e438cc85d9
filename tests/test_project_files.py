"""Files that other services read are well formed and agree with the project."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

import eventstudy

ROOT = Path(__file__).parents[1]
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
FORMS = sorted(path for path in (ROOT / ".github" / "ISSUE_TEMPLATE").glob("*.yml") if path.stem != "config")
#: Inputs that an issue form may have.
INPUTS = {"textarea", "input", "dropdown", "checkboxes", "markdown"}


def load(path: Path | str) -> Any:
    return yaml.safe_load((ROOT / path).read_text(encoding="utf-8"))


def steps(workflow: dict[str, Any]) -> list[dict[str, Any]]:
    return [step for job in workflow["jobs"].values() for step in job["steps"]]


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_a_workflow_has_triggers_few_permissions_and_jobs_that_can_run(path: Path) -> None:
    workflow = load(path)
    assert workflow[True]  # YAML 1.1 reads the key "on" as true
    assert workflow["permissions"] == {"contents": "read"}
    for job in workflow["jobs"].values():
        assert job["runs-on"]
        assert set(job.get("needs", "").split()) <= set(workflow["jobs"])
    for step in steps(workflow):
        assert ("uses" in step) != ("run" in step), step
        if "uses" in step:
            assert re.fullmatch(r"[\w.-]+/[\w.-]+@(v\d+|release/v\d+)", step["uses"])


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_a_workflow_calls_targets_and_extras_that_exist(path: Path) -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for step in steps(load(path)):
        for target in re.findall(r"\bmake ([\w-]+)", step.get("run", "")):
            assert re.search(rf"^{target}:", makefile, re.MULTILINE)
        for extra in re.findall(r"\"\.\[(\w+)\]\"", step.get("run", "")):
            assert extra in PROJECT["optional-dependencies"]


def test_the_matrix_is_three_pythons_on_three_systems() -> None:
    matrix = load(".github/workflows/tests.yml")["jobs"]["tests"]["strategy"]["matrix"]
    named = [line.rpartition(":: ")[2] for line in PROJECT["classifiers"] if ":: 3." in line]
    assert matrix["python"] == named
    assert {name.partition("-")[0] for name in matrix["os"]} == {"ubuntu", "macos", "windows"}


def test_a_release_stores_no_password_and_refuses_the_placeholder() -> None:
    release = load(".github/workflows/release.yml")
    assert release["jobs"]["publish"]["permissions"] == {"id-token": "write"}
    text = (ROOT / ".github" / "workflows" / "release.yml").read_text(encoding="utf-8")
    assert "secrets." not in text
    assert any("example.org" in step.get("run", "") for step in steps(release))


def test_the_placeholder_of_the_address_stands_in_one_place() -> None:
    address = PROJECT["urls"]["Repository"]
    files = [
        ROOT / "README.md",
        ROOT / "CITATION.cff",
        *ROOT.glob("docs/**/*.md"),
        *ROOT.glob(".github/**/*.yml"),
    ]
    found = [
        path for path in files if "_build" not in path.parts and address in path.read_text(encoding="utf-8")
    ]
    assert found == []


@pytest.mark.parametrize("path", FORMS, ids=lambda path: path.stem)
def test_an_issue_form_is_one(path: Path) -> None:
    form = load(path)
    assert form["name"]
    assert form["description"]
    ids = [field["id"] for field in form["body"] if field["type"] != "markdown"]
    assert len(set(ids)) == len(ids) >= 2
    for field in form["body"]:
        assert field["type"] in INPUTS
        assert field["attributes"]["label"]


def test_bug_reports_ask_for_versions() -> None:
    for name in ("bug", "wrong_number"):
        assert "es.show_versions()" in str(load(f".github/ISSUE_TEMPLATE/{name}.yml"))
    assert hasattr(eventstudy, "show_versions")


def test_the_citation_is_of_this_version_and_licence() -> None:
    citation = load("CITATION.cff")
    assert citation["cff-version"] == "1.2.0"
    assert citation["version"] == eventstudy.__version__
    assert citation["license"] == PROJECT["license"]
    assert citation["authors"] == [{"name": PROJECT["authors"][0]["name"]}]
    page = (ROOT / "docs" / "reference" / "citing.md").read_text(encoding="utf-8")
    assert f"version = {{{citation['version']}}}" in page
    assert citation["title"] in page


def test_the_recipe_needs_what_the_project_needs() -> None:
    recipe = load("recipe/recipe.yaml")
    assert recipe["context"]["version"] == eventstudy.__version__
    assert recipe["package"]["name"] == PROJECT["name"]
    needed = {line.replace(">=", " >=") for line in PROJECT["dependencies"]}
    other = {"matplotlib-base": "matplotlib"}  # the conda package without a window system
    found = set()
    for line in recipe["requirements"]["run"]:
        name, _, floor = line.partition(" ")
        found.add(f"{other.get(name, name)} {floor}")
    assert found == needed | {f"python {PROJECT['requires-python']}"}


def test_the_documentation_service_builds_with_extras_that_exist() -> None:
    settings = load(".readthedocs.yaml")
    install = settings["python"]["install"][0]
    assert set(install["extra_requirements"]) <= set(PROJECT["optional-dependencies"])
    assert (ROOT / settings["sphinx"]["configuration"]).is_file()
    assert settings["sphinx"]["fail_on_warning"] is True


def test_dependabot_and_pre_commit_name_what_they_watch() -> None:
    assert {u["package-ecosystem"] for u in load(".github/dependabot.yml")["updates"]} == {
        "github-actions",
        "pip",
    }
    hooks = {hook["id"] for repo in load(".pre-commit-config.yaml")["repos"] for hook in repo["hooks"]}
    assert {"ruff-check", "ruff-format", "nbstripout", "prose"} <= hooks
    local = next(repo for repo in load(".pre-commit-config.yaml")["repos"] if repo["repo"] == "local")
    assert (ROOT / local["hooks"][0]["entry"].split()[1]).is_file()


def test_binder_installs_this_checkout() -> None:
    pip = next(
        entry["pip"] for entry in load(".binder/environment.yml")["dependencies"] if isinstance(entry, dict)
    )
    assert (ROOT / ".binder" / pip[0] / "pyproject.toml").is_file()
    assert (ROOT / ".binder" / "postBuild").stat().st_mode & 0o100


def test_the_list_for_language_models_leads_to_pages() -> None:
    text = (ROOT / "docs" / "llms.txt").read_text(encoding="utf-8")
    assert text.startswith("# eventstudy\n\n> ")
    targets = re.findall(r"\]\(([\w/]+)\.html\)", text)
    assert len(targets) > 8
    for target in targets:
        assert (ROOT / "docs" / f"{target}.md").is_file()
