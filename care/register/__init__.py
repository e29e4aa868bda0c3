"""The register: regions, homes, rooms, residents, gateways, devices, people and their rights.

One door: `apply_register` takes a `RegisterDocument`, whether it came as a TOML file, by the API, from the
demo or from a recording.
"""

from care.register.apply import Missing, RegisterReport, apply_register
from care.register.document import RegisterDocument, read_document, read_file
from care.register.ending import end_device, end_gateway, not_named, resume_device, resume_gateway

__all__ = [
    "Missing",
    "RegisterDocument",
    "RegisterReport",
    "apply_register",
    "end_device",
    "end_gateway",
    "not_named",
    "read_document",
    "read_file",
    "resume_device",
    "resume_gateway",
]
