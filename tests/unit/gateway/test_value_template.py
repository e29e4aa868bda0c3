"""Value templates: what is read means what Jinja means, and what is not read is refused."""

from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from gateway.drivers.template_words import UNDEFINED, CannotRender
from gateway.drivers.value_template import NotUnderstood, Template
from tests.oracles import jinja_template

REAL = [
    "{{ value }}",
    "{{ value_json.contact }}",
    "{{ value_json['contact'] }}",
    "{{value_json['ENERGY']['Power']}}",
    "{{ value_json.a.b.c }}",
    "{{ value_json.list[0] }}",
    "{{ value_json.list.0 }}",
    "{{ value_json.temperature | is_defined }}",
    "{{ value_json.power | float }}",
    "{{ value_json.power | float(0) | round(1) }}",
    "{{ value_json.power | default(0) | int }}",
    "{{ (value | float / 60 / 1000) | round(2) }}",
    "{{ value|float*100|round }}",
    "{{ 'ON' if value_json.contact else 'OFF' }}",
    "{{ 'ON' if value_json.action == 'emergency' else 'OFF' }}",
    "{{ 'ON' if value_json.x in ['a', 'b'] and not value_json.y is defined else 'OFF' }}",
    '{% if value_json.event == "S" %}ON{% else %}OFF{% endif %}',
    "{%- if value_json.x is none -%} none {%- elif value_json.x | int(0) > 5 -%} big {%- else -%} small {%- endif -%}",
    "{% set x = value_json.power | float(0) %}{{ x * 2 if x > 1 else -x }}",
    "{{ value_json.state | lower }}",
    "{{ value_json.state | upper | trim }}",
    "{{ iif(value_json.contact, 'open', 'closed') }}",
    "{{ value | replace(' W', '') | float }}",
    "{# a remark #}{{ value_json.power }} W",
    "{{ not value_json.contact }}",
    "{{ value_json.x != none and value_json.x is not none }}",
    "{{ value_json.power + value_json.temperature - 1 }}",
    "{{ 'a' ~ value_json.power ~ 'b' }}",
    "{{ 1 < value_json.power <= 30 }}",
    "{{ value == 'ON' }}",
    "{{ float(value_json.power) // 7 % 3 }}",
    "{{ value_json.power if value_json.power is defined }}",
    "{{ value_json }}",
]
LEAVES = (
    st.none() | st.booleans() | st.integers(-1_000, 1_000) | st.floats(-1e6, 1e6).map(lambda x: round(x, 3))
    | st.sampled_from(["ON", "off", "12.5", " 7 ", "", "emergency", "S", "nan", "0x1f"])
)  # fmt: skip
KEYS = ["contact", "power", "temperature", "state", "action", "event", "x", "y", "a", "list", "ENERGY", "Power"]
JSON = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=6),
    max_leaves=10,
)


def ours(source: str, value: str, value_json: Any) -> str | None:
    try:
        return Template(source).render(value, value_json)
    except CannotRender:
        return None


@given(st.sampled_from(REAL), LEAVES.map(str), st.dictionaries(st.sampled_from(KEYS), JSON, max_size=8) | JSON)
def test_a_template_as_devices_have_them_renders_as_jinja_does(source: str, value: str, value_json: Any) -> None:
    assert ours(source, value, value_json) == jinja_template.render(source, value, value_json)


@pytest.mark.parametrize("source", REAL)
def test_a_message_that_is_no_json_renders_as_jinja_does(source: str) -> None:
    assert ours(source, "12.5", UNDEFINED) == jinja_template.render(source, "12.5")


ATOMS = st.sampled_from(
    ["value", "value_json.power", "value_json['x']", "value_json.gone", "value_json.state", "1", "2.5", "0", "'ON'",
     "''", "true", "false", "none"]
)  # fmt: skip


def _larger(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    signs = st.sampled_from(["+", "-", "*", "/", "//", "%", "~", "==", "!=", "<", ">=", "and", "or", "in", "not in"])
    filters = st.sampled_from(
        ["float", "float(0)", "int", "int(0)", "round", "round(1)", "round(2)", "default(3)", "d('x', true)", "lower",
         "upper", "trim", "abs", "is_defined", "string", "iif('a', 'b')", "replace('O', 'A')"]
    )  # fmt: skip
    tests = st.sampled_from(["defined", "not defined", "none", "not none", "number", "string", "undefined"])
    return (
        st.builds("{} {} {}".format, inner, signs, inner)
        | st.builds("({})|{}".format, inner, filters)
        | st.builds("{}|{}".format, inner, filters)
        | st.builds("(({}) is {})".format, inner, tests)
        | st.builds("({}) if ({}) else ({})".format, inner, inner, inner)
        | st.builds("({})".format, inner)
        | st.builds("(not {})".format, inner)
        | st.builds("-({})".format, inner)
    )


EXPRESSIONS = st.recursive(ATOMS, _larger, max_leaves=6)


@given(EXPRESSIONS, LEAVES.map(str), LEAVES, LEAVES)
@example("1 if 0 else 2 if 1 else 3", "", None, None)
@example("not 1 == 2 and 3", "", None, None)
@example("-(2)|abs + 1", "", None, None)
@example("value|round", "nan", None, None)
def test_any_expression_of_what_is_read_means_what_jinja_means(
    expression: str, value: str, power: object, x: object
) -> None:
    value_json = {"power": power, "x": x, "state": value}
    source = "{{ " + expression + " }}"
    expected = jinja_template.render(source, value, value_json)
    got = ours(source, value, value_json)
    # we count with numbers only: "a" * 3 and "%s" % 3 would let a short template make a long text
    assert got == expected or (got is None and any(sign in expression for sign in ("*", "%", "+")))


@pytest.mark.parametrize(
    "source",
    [
        "{{ value.split(',')[0] }}",
        "{{ value_json.get('x') }}",
        "{{ states('sensor.x') }}",
        "{{ value_json.x | tojson }}",
        "{{ value_json.x | map('int') | list }}",
        "{{ ''.__class__ ( ) }}",
        "{{ 2 ** 9 }}",
        "{{ {'a': 1}[value] }}",
        "{{ value[1:] }}",
        "{% for x in value_json %}{{ x }}{% endfor %}",
        "{% if value %}x",
        "{% endif %}",
        "{% set true = 1 %}",
        "{{ value",
        "{{ }}",
        "{{ 1 2 }}",
        "{{ 'a\\n' }}",
        "{{ value is divisibleby(3) }}",
        "{{ value is defined in value_json }}",
        "{{ value is defined is defined }}",
        "{{ " + "(" * 60 + "1" + ")" * 60 + " }}",
        "{% if 1 %}" * 60 + "{% endif %}" * 60,
        "{{ value }}" + " " * 2_000,
    ],
)
def test_a_form_that_is_not_read_is_refused_before_any_message(source: str) -> None:
    with pytest.raises(NotUnderstood):
        Template(source)


@pytest.mark.parametrize(
    "source",
    [
        "{{ value * 1000000000 }}",
        "{{ value_json.big * value_json.big * 1.5 }}",
        "{{ 5 / 0 }}",
        "{{ value | round(1000000) }}",
        "{{ value | round(1, 'half') }}",
        "{{ value | float(1, 2, 3) }}",
        "{{ value_json.long ~ value_json.long }}",
        "{{ value_json.big }}",
        "{{ value_json.long < 5 }}",
    ],
)
def test_what_cannot_be_counted_is_no_text(source: str) -> None:
    value_json = {"big": 10**5000, "long": "x" * 6_000}
    with pytest.raises(CannotRender):
        Template(source).render("5 apples", value_json)


@pytest.mark.parametrize(
    ("seed", "grown"),
    [
        ("'a'", "x + x"),
        ("'a'", "x ~ x"),
        ("'a'", "[x, x]"),
        ("'a'", "x|replace('a', 'aa')"),
        ("'a'", "x|replace('', 'aa')"),
        ("3", "x * x"),
        ("value_json.big", "x + 1"),
        ("value_json.list", "[x, x]"),
    ],
)
def test_no_template_grows_without_bound(seed: str, grown: str) -> None:
    template = Template(f"{{% set x = {seed} %}}" + f"{{% set x = {grown} %}}" * 40 + "{{ x }}")
    with pytest.raises(CannotRender):
        template.render("x", {"big": 10**300, "list": [1]})


@given(st.text(alphabet="{}%#-|.()[]'\" valuejson_if else endif set 019+*~<=!", max_size=60))
def test_no_text_whatever_does_anything_but_render_or_be_refused(source: str) -> None:
    try:
        template = Template(source)
    except NotUnderstood:
        return
    try:
        template.render("x", {"a": 1})
    except CannotRender:
        return
