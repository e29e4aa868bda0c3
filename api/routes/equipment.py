"""Gateways and devices that were taken away: saying so, taking it back, and looking at what a home had."""

from typing import Annotated

from fastapi import APIRouter, Path, Request

from api import equipment
from api.access import AnyVisit
from api.house import house_of
from api.ids import HomeId
from api.reads import gateways as reads
from api.schemas.equipment import FormerThing, FormerThings, TakenAway

router = APIRouter(tags=["gateways"])
DeviceId = HomeId
GatewayKey = Annotated[str, Path(max_length=63)]


@router.get("/homes/{home_id}/former-devices")
def former_devices(visit: AnyVisit, home_id: HomeId) -> FormerThings:
    """Gateways and devices that this home had. For staff."""
    rows = reads.former(visit, home_id)
    fields = FormerThing.model_fields
    return FormerThings(former=[FormerThing(**{name: row[name] for name in fields}) for row in rows])


@router.post("/homes/{home_id}/devices/{device_id}/end", status_code=204)
def end_device(visit: AnyVisit, request: Request, home_id: HomeId, device_id: DeviceId, body: TakenAway) -> None:
    """It was taken away: nobody misses it any more, its history stays. For managers and admins. A register file that
    names it without `ended` brings it back."""
    equipment.end_device(house_of(request), visit, home_id, device_id, body.at)


@router.post("/homes/{home_id}/devices/{device_id}/resume", status_code=204)
def resume_device(visit: AnyVisit, request: Request, home_id: HomeId, device_id: DeviceId) -> None:
    """It is back, or was never away. 409 when its gateway has ended or another device took its place."""
    equipment.resume_device(house_of(request), visit, home_id, device_id)


@router.post("/homes/{home_id}/gateways/{key}/end", status_code=204)
def end_gateway(visit: AnyVisit, request: Request, home_id: HomeId, key: GatewayKey, body: TakenAway) -> None:
    """The box was taken away, and all devices that it has with it: its password lets nobody in any more. For managers
    and admins."""
    equipment.end_gateway(house_of(request), visit, home_id, key, body.at)


@router.post("/homes/{home_id}/gateways/{key}/resume", status_code=204)
def resume_gateway(visit: AnyVisit, request: Request, home_id: HomeId, key: GatewayKey) -> None:
    """It is back, with the devices that ended with it, and its password holds again."""
    equipment.resume_gateway(house_of(request), visit, home_id, key)
