"""What goes down to gateways, configurations and commands, and the reports that come back."""

from ingest.downlink.service import Downlink

__all__ = ["Downlink"]
