"""What pages say of one another is true."""

import pytest

from api.reads.reach import MOST_OWN
from core.words import LOCALES, load_words


def test_the_answer_page_names_the_button_as_it_is_written() -> None:
    words = load_words()["zh_CN"]
    assert f"“{words('web.deed.on_site')}”" in words("answer.done.acknowledge.lead")


@pytest.mark.parametrize("locale", LOCALES)
def test_who_has_as_many_channels_as_may_be_is_told_so(locale: str) -> None:
    assert str(MOST_OWN) in load_words()[locale]("web.me.refused")
