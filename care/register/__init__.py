"""The register: regions, homes, rooms, residents, gateways, devices, people and their rights.

One door: `apply_register` takes a `RegisterDocument`, whether it came as a TOML file, by the API, from the
demo or from a recording.
"""

from care.register.apply import RegisterReport, apply_register
from care.register.document import RegisterDocument, read_document, read_file

__all__ = ["RegisterDocument", "RegisterReport", "apply_register", "read_document", "read_file"]
