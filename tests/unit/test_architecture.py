"""Dependencies point inward: held by walking every import."""

import ast
import sys
from collections.abc import Container, Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LAYER = ROOT / "layers/pilotlight/python/pilotlight"

INNER = ("fleet", "scaling", "jobs")
# What an instance has in its environment beyond Python, torch aside.
ON_INSTANCES = {"boto3", "botocore", "pilotlight", "jobs"}
LAMBDA_ONLY = ("pilotlight.observability", "pilotlight.records", "pilotlight.settings")


def imports_of(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            yield str(node.module)


def modules(*folders: str) -> list[Path]:
    return sorted(path for folder in folders for path in (LAYER / folder).rglob("*.py"))


def is_stdlib(name: str) -> bool:
    return name.split(".")[0] in sys.stdlib_module_names


@pytest.mark.parametrize("path", modules(*INNER), ids=lambda path: str(path.relative_to(LAYER)))
def test_the_inner_packages_know_only_themselves_and_the_standard_library(path: Path) -> None:
    allowed = tuple(f"pilotlight.{package}" for package in (*INNER, "errors"))

    strangers = [it for it in imports_of(path) if not (is_stdlib(it) or it.startswith(allowed))]

    assert strangers == []


@pytest.mark.parametrize("path", modules(*INNER), ids=lambda path: str(path.relative_to(LAYER)))
def test_the_inner_packages_read_no_environment_and_keep_no_log(path: Path) -> None:
    assert {"os", "logging", "time"}.isdisjoint(imports_of(path))


@pytest.mark.parametrize("path", modules("worker"), ids=lambda path: path.name)
def test_the_worker_imports_nothing_that_an_instance_lacks(path: Path) -> None:
    names = set(imports_of(path))

    assert {
        it for it in names if not is_stdlib(it) and it.split(".")[0] not in ON_INSTANCES
    } == set()
    assert [it for it in names if it.startswith(LAMBDA_ONLY)] == []


def test_boto3_is_imported_by_adapters_and_composition_only() -> None:
    outside = [path for path in LAYER.rglob("*.py") if path.parent.name not in ("aws", "worker")]

    users = [path.name for path in outside if {"boto3", "botocore"} & set(imports_of(path))]

    assert users == []


def test_no_two_files_of_tests_have_the_same_name() -> None:
    """pytest imports them without their folders, and finds it out when both are collected."""
    names = sorted(path.name for path in (ROOT / "tests").rglob("test_*.py"))

    assert names == sorted(set(names))


def test_no_module_imports_itself_by_way_of_others_not_even_for_a_type() -> None:
    packages = ("faults", "local", "simulator", "cli", "benchmarks")
    paths = {module_name(it, ROOT): it for name in packages for it in (ROOT / name).rglob("*.py")}
    paths |= {module_name(it, LAYER.parent): it for it in LAYER.rglob("*.py")}
    imports = {name: set(modules_imported(path, paths)) for name, path in paths.items()}

    TopologicalSorter(imports).prepare()  # raises CycleError


def module_name(path: Path, root: Path) -> str:
    return ".".join(path.relative_to(root).with_suffix("").parts).removesuffix(".__init__")


def modules_imported(path: Path, known: Container[str]) -> Iterator[str]:
    """`from package import name` means a module where there is one of that name."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in known)
        elif isinstance(node, ast.ImportFrom):
            for name in (f"{node.module}.{alias.name}" for alias in node.names):
                yield name if name in known else str(node.module)
