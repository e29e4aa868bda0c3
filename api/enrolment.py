"""How a gateway gets in: staff make a code, the gateway uses it. The rules of a code stand in care.enrolment."""

from api.access import Visit
from api.auth import Throttle
from api.errors import TooManyTries
from api.house import House
from api.reads.gateways import need_manager_of
from care.enrolment import Code, Credential, make_code, redeem
from core.errors import NotAllowed, StoreError
from store.pool import DatabaseRole, connect


def new_code(house: House, visit: Visit, home_id: int, gateway: str | None) -> Code:
    """A code for a gateway of the home. Raises NotFound, NotAllowed."""
    need_manager_of(visit, home_id)
    visit.audit("gateway.code", [home_id])
    # A connection of its own: the api's may read the register, not write it.
    with connect(house.settings.database_url, DatabaseRole.REGISTER, autocommit=True) as connection:
        return make_code(connection, home_id, gateway, visit.person.id, visit.now)


def enroll(house: House, throttle: Throttle, code: str, address: str) -> Credential:
    """Uses a code up, for whoever has it.

    Raises:
        NotAllowed: the code is wrong, used or old.
        TooManyTries: of late there were too many wrong ones from this address.
        StoreError: the platform does not know where its own broker is.
    """
    if not house.settings.gateway_broker_url:
        raise StoreError("this platform has not been told where gateways find its broker: set YIJU_GATEWAY_BROKER_URL")
    name = f"code from {address}"
    try:
        throttle.check(name, address)
    except TooManyTries as error:
        raise TooManyTries("too many wrong codes: wait a quarter of an hour, then try again") from error
    try:
        with connect(house.settings.database_url, DatabaseRole.REGISTER, autocommit=True) as connection:
            return redeem(connection, code, house.clock.now())
    except NotAllowed:
        throttle.failed(name, address)
        raise
