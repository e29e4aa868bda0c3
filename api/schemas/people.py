"""Who signs in, and who one is."""

from typing import Annotated

from pydantic import Field

from api.schemas.base import Shape
from core.model import Role


class Credentials(Shape):
    login: Annotated[str, Field(max_length=200)]
    password: Annotated[str, Field(max_length=1000)]


class Token(Shape):
    token: str = Field(description="send it as `Authorization: Bearer ...`; it is shown this once")
    lasts_days: int


class Me(Shape):
    id: int
    key: str
    name: str
    locale: str
    roles: list[Role]
