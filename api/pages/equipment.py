"""The forms "taken away" and "it is back" of the installer's page and of the home's page."""

from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import RedirectResponse, Response

from api import equipment
from api.access import StaffVisit
from api.house import house_of
from api.ids import HomeId
from api.pages.render import local_path
from api.routes.equipment import DeviceId, GatewayKey

router = APIRouter(prefix="/homes", include_in_schema=False)
Next = Annotated[str, Form(max_length=500)]


@router.post("/{home_id}/devices/{device_id}/end")
def end_device(request: Request, visit: StaffVisit, home_id: HomeId, device_id: DeviceId, next: Next = "/") -> Response:
    equipment.end_device(house_of(request), visit, home_id, device_id)
    return RedirectResponse(local_path(next), 303)


@router.post("/{home_id}/devices/{device_id}/resume")
def resume_device(
    request: Request, visit: StaffVisit, home_id: HomeId, device_id: DeviceId, next: Next = "/"
) -> Response:
    equipment.resume_device(house_of(request), visit, home_id, device_id)
    return RedirectResponse(local_path(next), 303)


@router.post("/{home_id}/gateways/{key}/end")
def end_gateway(request: Request, visit: StaffVisit, home_id: HomeId, key: GatewayKey, next: Next = "/") -> Response:
    equipment.end_gateway(house_of(request), visit, home_id, key)
    return RedirectResponse(local_path(next), 303)


@router.post("/{home_id}/gateways/{key}/resume")
def resume_gateway(request: Request, visit: StaffVisit, home_id: HomeId, key: GatewayKey, next: Next = "/") -> Response:
    equipment.resume_gateway(house_of(request), visit, home_id, key)
    return RedirectResponse(local_path(next), 303)
