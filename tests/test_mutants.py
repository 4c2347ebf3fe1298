"""The list of mutants fits the tree: no entry is stale, none is there twice."""

import ast
from functools import cache

from mutants import REPOSITORY, read_mutants


@cache
def source(file: str) -> tuple[str, str]:
    """The text of a file, and its syntax."""
    text = (REPOSITORY / file).read_text(encoding="utf-8")
    return text, ast.dump(ast.parse(text))


def test_every_mutant_changes_one_place_of_its_file() -> None:
    for mutant in read_mutants():
        text, syntax = source(mutant.file)
        after = mutant.edited(text)  # raises if it is stale
        assert syntax != ast.dump(ast.parse(after)), mutant.name


def test_names_of_mutants_are_their_own() -> None:
    names = [mutant.name for mutant in read_mutants()]
    assert len(set(names)) == len(names) >= 64


def test_tests_of_mutants_are_there() -> None:
    for mutant in read_mutants():
        for test in mutant.tests:
            file, *names = test.partition("[")[0].split("::")
            text = (REPOSITORY / file).read_text(encoding="utf-8")
            assert all(f"def {name}(" in text for name in names), (mutant.name, test)
