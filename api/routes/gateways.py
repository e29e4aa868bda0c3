"""Gateways: what they are and hear, the way in for a new one, and the SOS buttons that are to be tested."""

from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request

from api import enrolment
from api.access import AnyVisit, StaffVisit
from api.house import house_of
from api.ids import HomeId
from api.reads import gateways as reads
from api.schemas.gateways import (
    Button,
    Buttons,
    EnrolmentCode,
    EnrolmentRequest,
    FoundDevice,
    Gateway,
    GatewayCode,
    GatewayCredential,
    GatewayDevice,
    Gateways,
    MessageSample,
)
from core.errors import StoreError
from core.wire import from_ms

router = APIRouter(tags=["gateways"])


@router.get("/homes/{home_id}/gateways")
def home_gateways(visit: AnyVisit, home_id: HomeId) -> Gateways:
    """A home's gateways: their configuration, their devices, what they hear and nobody has registered. For staff."""
    return Gateways(gateways=[_gateway(row) for row in reads.gateways(visit, home_id)])


@router.post("/homes/{home_id}/gateway-codes", status_code=201)
def make_code(visit: AnyVisit, request: Request, home_id: HomeId, wanted: GatewayCode) -> EnrolmentCode:
    """A one-time code with which a gateway of this home gets its password. For managers and admins; shown this once."""
    code = enrolment.new_code(house_of(request), visit, home_id, wanted.gateway)
    return EnrolmentCode(code=code.code, gateway=code.gateway, expires_at=code.expires_at)


@router.post("/enroll", status_code=201)
def enroll(request: Request, wanted: EnrolmentRequest) -> GatewayCredential:
    """A gateway's credential for its code, once. 403 when the code is wrong, used or old, 429 after too many tries."""
    house = house_of(request)
    address = request.client.host if request.client else ""
    credential = enrolment.enroll(house, house.enrolments, wanted.code, address)
    return GatewayCredential(
        gateway=credential.gateway,
        password=credential.password,
        broker_url=house.settings.gateway_broker_url,
        ca=_certificate(house.settings.gateway_ca),
    )


@router.get("/buttons")
def buttons(
    visit: StaffVisit, overdue: Annotated[bool, Query(description="only those to be tested")] = False
) -> Buttons:
    """The SOS buttons of your homes and when each was last known to work."""
    return Buttons(buttons=[_button(row) for row in reads.buttons(visit, overdue=overdue)])


def _certificate(path: str) -> str:
    if not path:
        return ""
    try:
        return Path(path).read_text(encoding="ascii")
    except (OSError, UnicodeDecodeError) as error:
        raise StoreError(f"YIJU_GATEWAY_CA names {path!r}, which cannot be read") from error


def _gateway(row: dict[str, Any]) -> Gateway:
    kept = {name: value for name, value in row.items() if name in Gateway.model_fields}
    return Gateway(
        **{
            **kept,
            "online": bool(row["online"]),
            "current": bool(row["current"]),
            "found": [
                FoundDevice(**{**one, "at": from_ms(one["at"]) if one.get("at") else None})
                for one in row["found"] or []
            ],
            "samples": [MessageSample(**{**one, "at": from_ms(one["at"])}) for one in row["samples"] or []],
            "devices": [
                GatewayDevice(**{name: value for name, value in one.items() if name in GatewayDevice.model_fields})
                for one in row["devices"]
            ],
        }
    )


def _button(row: dict[str, Any]) -> Button:
    return Button(**{name: value for name, value in row.items() if name in Button.model_fields})
