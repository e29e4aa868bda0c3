"""The access list of deploy/broker/acl: the part of mosquitto's syntax that we use, for the embedded broker.

user NAME                      the `topic` lines that follow are this user's
topic read|write FILTER
pattern read|write FILTER      for everybody; `%u` stands for the user's own name
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from core.errors import StackError

Right = Literal["read", "write"]


@dataclass(frozen=True)
class Acl:
    """Who may use which topics. What is not allowed is denied."""

    _topics: dict[tuple[str, Right], list[str]] = field(default_factory=dict)
    _patterns: dict[Right, list[str]] = field(default_factory=dict)

    def allows(self, user: str, right: Right, topic: str) -> bool:
        """Whether `user` may publish to ("write") or receive from ("read") this topic.

        Args:
            topic: a topic, or the filter of a subscription, which must lie wholly within what is allowed.
        """
        if not user or any(sign in user for sign in "+#/"):
            return False  # in a pattern, such a name would open the topics of others
        filters = [pattern.replace("%u", user) for pattern in self._patterns.get(right, [])]
        return any(covers(allowed, topic) for allowed in [*filters, *self._topics.get((user, right), [])])


def read_acl(path: Path) -> Acl:
    """Reads an access list.

    Raises:
        StackError: a line is not understood; better no broker than one that lets too much through.
    """
    topics: dict[tuple[str, Right], list[str]] = {}
    patterns: dict[Right, list[str]] = {}
    user: str | None = None
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        match line.split():
            case []:
                continue
            case [word, *_] if word.startswith("#"):
                continue
            case ["user", name]:
                user = name
            case ["topic", ("read" | "write") as right, allowed] if user is not None:
                topics.setdefault((user, "read" if right == "read" else "write"), []).append(allowed)
            case ["pattern", ("read" | "write") as right, allowed]:
                patterns.setdefault("read" if right == "read" else "write", []).append(allowed)
            case _:
                raise StackError(f"{path}, line {number}: {line!r} is not understood")
    return Acl(topics, patterns)


def covers(allowed: str, topic: str) -> bool:
    """Whether every topic that `topic` (a topic or a filter) can mean lies within the filter `allowed`."""
    ours, theirs = allowed.split("/"), topic.split("/")
    for index, level in enumerate(ours):
        if level == "#":
            return not (index == 0 and theirs[0].startswith("$"))
        if index >= len(theirs) or theirs[index] == "#":
            return False
        if level == "+":
            if index == 0 and theirs[0].startswith("$"):
                return False
        elif level != theirs[index]:
            return False
    return len(ours) == len(theirs)
