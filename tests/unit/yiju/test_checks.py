"""What `make check` finds in catalogues and documentation."""

import re
from pathlib import Path

from yiju.checks.catalogues import compare, compare_use, places_of, read_uses
from yiju.checks.documentation import broken_links, known_commands, unknown_commands


def test_a_key_that_one_language_lacks_and_one_whose_places_differ_are_named() -> None:
    found = list(compare({"zh_CN": {"a.b": "你好 {name}", "a.c": "好"}, "en": {"a.b": "hello {who}"}}))
    assert found == [
        "core/words: a.b has different places: zh_CN ['name'], en ['who']",
        "core/words/en: a.c is missing",
    ]


def test_the_number_that_chooses_a_plural_may_be_left_out() -> None:
    assert places_of("one alert") == places_of("{n} alerts")


def test_a_key_that_is_used_must_exist_and_one_that_exists_must_be_used() -> None:
    found = list(compare_use({"room.hall", "room.attic", "role.cook"}, {"room.cellar", "file.txt"}, []))
    assert found == [
        "core/words: room.cellar is used and in no catalogue",
        "core/words: role.cook is used nowhere",
        "core/words: room.attic is used nowhere",
        "core/words: room.hall is used nowhere",
    ]
    assert not list(compare_use({"room.hall"}, set(), [re.compile(r"room\.[a-z]+")]))


def test_keys_are_read_from_code_and_templates(tmp_path: Path) -> None:
    (tmp_path / "api").mkdir()
    (tmp_path / "api" / "page.py").write_text('t("page.title"); t(f"room.{kind}")')
    page = """<a title="{{ t('page.hello') }}"> {{ t('state.' ~ state) }}"""
    (tmp_path / "api" / "page.html").write_text(page)
    keys, patterns = read_uses(tmp_path)
    assert keys == {"page.title", "page.hello"}
    assert [bool(pattern.fullmatch("room.hall")) for pattern in patterns] == [True, False]
    assert patterns[1].fullmatch("state.open")


def test_a_link_that_leads_nowhere_is_named(tmp_path: Path) -> None:
    page = tmp_path / "README.md"
    (tmp_path / "LICENSE").touch()
    text = '[a](LICENSE#top) [b](docs/none.md) [c](https://example.org) <img src="none.png">'
    assert broken_links(page, text) == ["docs/none.md", "none.png"]


def test_a_command_that_does_not_exist_is_named() -> None:
    text = "`yiju up --demo`, `yiju store migrate`, `.venv/bin/yiju fly home` and `yiju store drop`; yiju is nice"
    assert unknown_commands(text, known_commands()) == ["fly home", "store drop"]
