"""Rules that the words and modules of the pages keep."""

import json
from pathlib import Path

import sandbox.line.phone as phone

STATIC = Path(phone.__file__).parent / "static"


def test_both_languages_have_the_same_words() -> None:
    words = json.loads((STATIC.parent / "words.json").read_text("utf-8"))
    assert words["ja"].keys() == words["en"].keys()


def test_message_text_never_enters_as_markup() -> None:
    for module in STATIC.glob("*.js"):
        source = module.read_text("utf-8")
        assert not [
            word for word in ("innerHTML", "outerHTML", "insertAdjacentHTML", "eval(") if word in source
        ]


def test_every_module_that_is_imported_is_there() -> None:
    for module in STATIC.glob("*.js"):
        for line in module.read_text("utf-8").splitlines():
            if line.startswith("import ") or line.startswith("} from"):
                assert (STATIC / line.split('"./')[1].split('"')[0]).is_file(), f"{module.name}: {line}"
