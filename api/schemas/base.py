"""What all bodies of `/api/v1` have in common, and what stands alone."""

from pydantic import BaseModel, ConfigDict, Field


class Shape(BaseModel):
    """The base of all: what is not described is refused in requests."""

    model_config = ConfigDict(extra="forbid")


class ErrorBody(Shape):
    code: str = Field(description="for programs: not_signed_in, not_allowed, not_found, conflict, invalid ...")
    message: str = Field(description="for people, in English")


class ErrorAnswer(Shape):
    """Every error has this form."""

    error: ErrorBody


class Made(Shape):
    id: int
