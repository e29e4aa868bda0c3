"""Default deny: who asks, and the one transaction in which they are answered.

`gate` stands before every route of the app. It lets a few paths pass without a person; for all others it finds the
person behind the cookie or the bearer token, opens the request's transaction, and tells PostgreSQL who asks, so
that row-level security shows only the homes that this person may see.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Final

from fastapi import Depends, Request

from api.auth import fingerprint
from api.csrf import refuse_foreign_form
from api.errors import NotSignedIn
from api.house import House, house_of
from api.reads import QUERIES
from core.errors import NotAllowed
from core.model import Role
from core.words import DEFAULT_LOCALE, LOCALES, Words
from store.pool import Connection

READ_SPAN: Final = timedelta(minutes=15)  # of reading the same that one row of the audit stands for
DATABASE_PATIENCE_S: Final = 5.0  # for a free connection; then the asker is told to come back
COOKIE: Final = "yiju_session"
STAFF: Final = frozenset({Role.WORKER, Role.MANAGER, Role.ADMIN, Role.CENTRE})
PHONE: Final = ("/api/v1/phone/receipts", "/api/v1/phone/replies")  # these ask for the SMS gateway's secret
# The only routes that answer nobody-in-particular. /metrics asks for its own token or a member of staff.
PUBLIC: Final = frozenset({"/login", "/health", "/metrics", "/api/v1/tokens", "/api/v1/enroll", *PHONE})
ANSWERS: Final = "/a/"  # links in messages: api/answers.py
DEMO_PHONES: Final = "/demo/phones/"  # in a demo only: known by the signature of each message


@dataclass(frozen=True)
class Person:
    """Who asks."""

    id: int
    key: str
    name: str
    locale: str
    roles: frozenset[Role]

    @property
    def is_staff(self) -> bool:
        return bool(self.roles & STAFF)


@dataclass(frozen=True)
class Visit:
    """One person's one request: its transaction, its present, its language.

    Attributes:
        token_hash: of the session that carries it.
        now: the platform's time at which it began; aware, UTC.
    """

    person: Person
    token_hash: bytes
    connection: Connection
    now: datetime
    words: Words

    def audit(self, what: str, homes: Iterable[int]) -> None:
        """Writes down that this person read (`read. ...`) or did something about these homes' residents.

        A deed is written each time; a read once for the quarter of an hour that follows it.
        """
        ids = sorted(set(homes))
        if ids:
            query = QUERIES["audit_read" if what.startswith("read.") else "audit"]
            row = {"now": self.now, "person": self.person.id, "what": what, "homes": ids, "since": self.now - READ_SPAN}
            self.connection.execute(query, row)

    def need_staff(self) -> None:
        """Raises NotAllowed for a person without a staff role anywhere."""
        if not self.person.is_staff:
            raise NotAllowed("this is for staff")


def gate(request: Request) -> Iterator[None]:
    """The dependency before every route. Raises NotSignedIn, NotAllowed."""
    house = house_of(request)
    if request.url.path.startswith(ANSWERS):  # whoever has the link may answer: its ticket is the proof
        yield
        return
    if house.phones is not None and request.url.path.startswith(DEMO_PHONES):
        yield
        return
    if request.url.path in PUBLIC:
        if not request.url.path.startswith("/api/"):
            refuse_foreign_form(request, house.settings.public_url)
        yield
        return
    token, kind = presented_token(request)
    if kind == "page":
        refuse_foreign_form(request, house.settings.public_url)
    with house.pool.connection(DATABASE_PATIENCE_S) as connection:
        request.state.visit = begin_visit(house, connection, fingerprint(token), kind)
        yield


def presented_token(request: Request) -> tuple[str, str]:
    """The token that the request carries and its kind. A bearer token goes before a cookie. Raises NotSignedIn."""
    scheme, _, bearer = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer" and bearer:
        return bearer.strip(), "program"
    cookie = request.cookies.get(COOKIE)
    if cookie:
        return cookie, "page"
    raise NotSignedIn("sign in first: a session cookie or `Authorization: Bearer ...` is needed")


def begin_visit(house: House, connection: Connection, token_hash: bytes, kind: str) -> Visit:
    """Knows the person again and tells the database who asks, for this transaction. Raises NotSignedIn."""
    now = house.clock.now()
    session = {"token_hash": token_hash, "kind": kind, "now": now}
    row = connection.execute(QUERIES["person_of_token"], session).fetchone()
    if row is None:
        raise NotSignedIn("this session has ended: sign in again")
    connection.execute(QUERIES["become"], {"person": row["id"]})
    roles = connection.execute(QUERIES["roles"], {"person": row["id"]}).fetchall()
    locale = row["locale"] if row["locale"] in LOCALES else DEFAULT_LOCALE
    person = Person(row["id"], row["key"], row["name"], locale, frozenset(Role(one["role"]) for one in roles))
    return Visit(person, token_hash, connection, now, house.words[locale])


def the_visit(request: Request) -> Visit:
    """The visit that `gate` has opened."""
    visit: Visit = request.state.visit
    return visit


def staff_visit(request: Request) -> Visit:
    """The same, for staff only. Raises NotAllowed."""
    visit = the_visit(request)
    visit.need_staff()
    return visit


# "function": the transaction ends before the answer is sent, so whoever has the answer finds it done.
Gate = Depends(gate, scope="function")
AnyVisit = Annotated[Visit, Depends(the_visit)]
StaffVisit = Annotated[Visit, Depends(staff_visit)]
