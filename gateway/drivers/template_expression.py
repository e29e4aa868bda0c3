"""The expressions inside of value templates, by Jinja's precedence: read into functions from names to a value."""

import operator
import re
from collections.abc import Callable
from typing import Any, Final, NamedTuple, NoReturn

from gateway.drivers.template_words import FILTERS, TESTS, UNDEFINED, CannotRender, bounded, is_number, text_of

MAX_DEPTH: Final = 40  # of brackets, conditions and the like
_MAX_BITS: Final = 256
Names = dict[str, object]
Expression = Callable[[Names], object]
_TOKEN: Final = re.compile(
    r"\s*(?:(?P<number>\d+\.\d+(?:[eE][+-]?\d+)?|\d+)|(?P<name>[A-Za-z_]\w*)"
    r"|(?P<text>'[^'\\]*'|\"[^\"\\]*\")|(?P<sign>==|!=|<=|>=|//|\*\*|[<>+\-*/%~|.,()\[\]]))",
    re.ASCII,
)
CONSTANTS: Final = {
    "true": True, "True": True, "false": False, "False": False, "none": None, "None": None,
}  # fmt: skip
WORDS: Final = frozenset({"if", "else", "and", "or", "not", "in", "is", "elif", "endif", "set", "for"})


class NotUnderstood(ValueError):
    """The template has a form that this interpreter does not read; str(error) says which."""


class _Token(NamedTuple):
    kind: str
    text: str


def parse(source: str) -> Expression:
    """Reads one expression. Raises NotUnderstood."""
    return _Parser(source).whole()


_COMPARE: Final[dict[str, Callable[[Any, Any], object]]] = {
    "==": operator.eq, "!=": operator.ne, "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge,
}  # fmt: skip
_ADD: Final[dict[str, Callable[[Any, Any], object]]] = {"+": operator.add, "-": operator.sub}
_MULTIPLY: Final[dict[str, Callable[[Any, Any], object]]] = {
    "*": operator.mul, "/": operator.truediv, "//": operator.floordiv, "%": operator.mod,
}  # fmt: skip


def _constant(value: object) -> Expression:
    return lambda names: value


def _chosen(test: Expression, value: Expression, otherwise: Expression) -> Expression:
    return lambda names: value(names) if test(names) else otherwise(names)


def _or(left: Expression, right: Expression) -> Expression:
    return lambda names: left(names) or right(names)


def _and(left: Expression, right: Expression) -> Expression:
    return lambda names: left(names) and right(names)


def _chain(first: Expression, rest: list[tuple[Callable[[Any, Any], object], Expression]]) -> Expression:
    """a < b < c: each compared with the next."""

    def compare(names: Names) -> bool:
        left = first(names)
        for holds, expression in rest:
            right = expression(names)
            if not holds(left, right):
                return False
            left = right
        return True

    return compare


def _arithmetic(work: Callable[[Any, Any], object], left: Expression, right: Expression) -> Expression:
    """Of numbers no larger than any sensor's; texts may only be added. So no template grows without bound."""

    def calculate(names: Names) -> object:
        a, b = left(names), right(names)
        if work is operator.add and isinstance(a, str) and isinstance(b, str):
            return bounded(a + b)
        if not (is_number(a) and is_number(b)) or max(_bits(a), _bits(b)) > _MAX_BITS:
            raise CannotRender(f"{a!r:.40} and {b!r:.40} are no two numbers to count with")
        return work(a, b)

    return calculate


def _bits(number: object) -> int:
    return number.bit_length() if isinstance(number, int) else 0


def _items(expressions: list[Expression]) -> Expression:
    """A list of simple values: lists in lists could double with each `set`."""

    def collect(names: Names) -> list[object]:
        found = [expression(names) for expression in expressions]
        if any(isinstance(item, list | dict) for item in found):
            raise CannotRender("a list in a list is not read")
        return found

    return collect


def _item(value: Expression, key: Expression) -> Expression:
    def look_up(names: Names) -> object:
        container: Any = value(names)
        wanted: Any = key(names)
        if container is UNDEFINED:
            raise CannotRender(f"{wanted!r:.40} of what is not there")
        try:
            return container[wanted] if isinstance(container, dict | list | str) else UNDEFINED
        except (LookupError, TypeError):
            return UNDEFINED

    return look_up


def _called(work: Callable[..., object], arguments: list[Expression]) -> Expression:
    return lambda names: work(*(argument(names) for argument in arguments))


def _tested(value: Expression, test: Callable[[object], bool], turned: bool) -> Expression:
    return lambda names: test(value(names)) is not turned


class _Parser:
    """Reads one expression into a function from names to a value, by Jinja's precedence."""

    def __init__(self, source: str) -> None:
        self._tokens: list[_Token] = []
        at = 0
        while source[at:].strip():
            match = _TOKEN.match(source, at)
            if match is None or match.lastgroup is None:
                self._refuse(source[at:].strip()[:20])
            self._tokens.append(_Token(match.lastgroup, match[match.lastgroup]))
            at = match.end()
        self._at = self._depth = 0

    def whole(self) -> Expression:
        expression = self._choice()
        if self._at < len(self._tokens):
            self._refuse(self._tokens[self._at].text)
        return expression

    def _choice(self) -> Expression:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise NotUnderstood("too deep")
        value = self._either()
        while self._takes("if"):
            test, otherwise = self._either(), _constant(UNDEFINED)
            if self._takes("else"):
                otherwise = self._choice()
            value = _chosen(test, value, otherwise)
        self._depth -= 1
        return value

    def _either(self) -> Expression:
        left = self._both()
        while self._takes("or"):
            left = _or(left, self._both())
        return left

    def _both(self) -> Expression:
        left = self._negated()
        while self._takes("and"):
            left = _and(left, self._negated())
        return left

    def _negated(self) -> Expression:
        turns = 0
        while self._takes("not"):
            turns += 1
        value = self._compared()
        return value if not turns else (lambda names: bool(value(names)) is (turns % 2 == 0))

    def _compared(self) -> Expression:
        left = self._sum()
        chain: list[tuple[Callable[[Any, Any], object], Expression]] = []
        while True:
            if (sign := self._sign(_COMPARE)) is not None:
                chain.append((_COMPARE[sign], self._sum()))
            elif self._takes("in"):
                chain.append((lambda a, b: a in b, self._sum()))
            elif self._peek() == "not" and self._peek(1) == "in":
                self._at += 2
                chain.append((lambda a, b: a not in b, self._sum()))
            else:
                return left if not chain else _chain(left, chain)

    def _sum(self) -> Expression:
        left = self._joined_texts()
        while (sign := self._sign(_ADD)) is not None:
            left = _arithmetic(_ADD[sign], left, self._joined_texts())
        return left

    def _joined_texts(self) -> Expression:
        parts = [self._product()]
        while self._takes("~"):
            parts.append(self._product())
        return parts[0] if len(parts) == 1 else (lambda names: bounded("".join(text_of(part(names)) for part in parts)))

    def _product(self) -> Expression:
        left = self._signed()
        while (sign := self._sign(_MULTIPLY)) is not None:
            left = _arithmetic(_MULTIPLY[sign], left, self._signed())
        return left

    def _signed(self) -> Expression:
        signs = 0
        negative = False
        while (sign := self._sign(_ADD)) is not None:
            signs += 1
            negative = negative is not (sign == "-")
        value = self._looked_up(self._primary())
        if signs:
            unsigned = value
            value = _arithmetic(operator.mul, _constant(-1 if negative else 1), unsigned)
        return self._filtered(value)

    def _looked_up(self, value: Expression) -> Expression:
        while True:
            if self._takes("."):
                token = self._next()
                if token.kind not in ("name", "number") or "." in token.text or self._peek() == "(":
                    self._refuse("." + token.text)
                value = _item(value, _constant(int(token.text) if token.kind == "number" else token.text))
            elif self._takes("["):
                value = _item(value, self._choice())
                self._expect("]")
            else:
                return value

    def _filtered(self, value: Expression) -> Expression:
        while True:
            if self._takes("|"):
                name = self._next().text
                if name not in FILTERS:
                    self._refuse(f"|{name}")
                value = _called(FILTERS[name], [value, *(self._arguments() if self._peek() == "(" else [])])
            elif self._takes("is"):
                turned = self._takes("not")
                name = self._next().text
                if name not in TESTS or self._starts_argument():
                    self._refuse(f"is {name}")
                value = _tested(value, TESTS[name], turned)
            else:
                return value

    def _starts_argument(self) -> bool:
        """Whether what follows a test would be its argument, brackets or not."""
        if self._at >= len(self._tokens):
            return False
        kind, text = self._tokens[self._at]
        return text in ("(", "[") or (kind != "sign" and text not in ("and", "or", "else"))

    def _primary(self) -> Expression:
        kind, text = self._next()
        if kind == "number":
            return _constant(float(text) if "." in text else int(text))
        if kind == "text":
            return _constant(text[1:-1])
        if text == "(":
            value = self._choice()
            self._expect(")")
            return value
        if text == "[":
            self._at -= 1
            items = self._arguments("[", "]")
            return _items(items)
        if text in CONSTANTS:
            return _constant(CONSTANTS[text])
        if kind != "name" or text in WORDS:
            self._refuse(text)
        if self._peek() == "(":
            if text not in ("float", "int", "iif"):
                self._refuse(f"{text}()")
            return _called(FILTERS[text], self._arguments())
        return lambda names: names.get(text, UNDEFINED)

    def _arguments(self, opening: str = "(", closing: str = ")") -> list[Expression]:
        self._expect(opening)
        arguments: list[Expression] = []
        while not self._takes(closing):
            if arguments:
                self._expect(",")
            arguments.append(self._choice())
        return arguments

    def _peek(self, ahead: int = 0) -> str:
        at = self._at + ahead
        return self._tokens[at].text if at < len(self._tokens) and self._tokens[at].kind != "text" else ""

    def _takes(self, text: str) -> bool:
        if self._peek() != text:
            return False
        self._at += 1
        return True

    def _sign(self, table: dict[str, Any]) -> str | None:
        sign = self._peek()
        return sign if sign in table and self._takes(sign) else None

    def _expect(self, text: str) -> None:
        if not self._takes(text):
            self._refuse(f"no {text}")

    def _next(self) -> _Token:
        if self._at >= len(self._tokens):
            self._refuse("an end too early")
        self._at += 1
        return self._tokens[self._at - 1]

    def _refuse(self, text: str) -> NoReturn:
        raise NotUnderstood(f"{text} is not read")
