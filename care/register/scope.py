"""What an admin may register: everything in the regions below their own, and nothing anywhere else.

An operator at the command line may register everything, so new districts come in there.
"""

from collections.abc import Mapping

from care.register.document import RegisterDocument
from core.errors import NotAllowed
from store.pool import Connection
from store.queries import load_queries

QUERIES = load_queries(__package__)


def check_scope(connection: Connection, document: RegisterDocument, admin_id: int) -> None:
    """Looks at every entry before anything is changed.

    Raises:
        NotAllowed: an entry is there already and is not the admin's, or it would be made somewhere else.
    """
    rows = connection.execute(QUERIES["regions_of_admin"], {"person": admin_id}).fetchall()
    allowed = {row["key"] for row in rows}
    touched = {
        "region": [region.key for region in document.region],
        "home": [home.key for home in document.home] + _consented(document),
        "resident": [resident.key for home in document.home for resident in home.resident],
        "gateway": [gateway.key for home in document.home for gateway in home.gateway]
        + [device.gateway for home in document.home for device in home.device],
        "person": [person.key for person in document.person],
        "rotation": [rotation.key for rotation in document.rotation],
    }
    foreign = connection.execute(QUERIES["foreign_entries"], {**touched, "allowed": [row["id"] for row in rows]})
    for row in foreign:
        raise NotAllowed(f"{row['kind']} {row['key']!r} is not in a region that you administer")
    _check_places(document, allowed, {row["key"]: row["parent"] for row in rows})


def _check_places(document: RegisterDocument, allowed: set[str], parent_now: Mapping[str, str | None]) -> None:
    """Every region that is new hangs below one of the admin's, and so does all that is put into it."""
    parents = {region.key: region.parent for region in document.region}
    for region in document.region:
        _need(_leads_to(region.key, parents, allowed), "region", region.key)
        if region.key in allowed and region.parent != parent_now[region.key]:  # moved: only within reach
            _need(_leads_to(region.parent or "", parents, allowed), "region", region.parent or "(none)")
    for home in document.home:
        _need(_leads_to(home.region, parents, allowed), "region", home.region)
    for rotation in document.rotation:
        _need(_leads_to(rotation.region, parents, allowed), "region", rotation.region)
    for person in document.person:
        for grant in person.grant:
            _need(_leads_to(grant.region, parents, allowed), "region", grant.region)


def _leads_to(key: str, parents: dict[str, str | None], allowed: set[str]) -> bool:
    """Whether going up from `key` through the document's new regions ends in an allowed one."""
    seen: set[str] = set()
    step: str | None = key
    while step is not None and step not in seen:
        if step in allowed:
            return True
        seen.add(step)
        step = parents.get(step)
    return False


def _need(holds: bool, kind: str, key: str) -> None:
    if not holds:
        raise NotAllowed(f"{kind} {key!r} is not below a region that you administer")


def _consented(document: RegisterDocument) -> list[str]:
    return [consent.home for person in document.person for consent in person.consent]
