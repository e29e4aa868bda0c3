"""How much of a person a message says: policy `message_detail`, inherited.

minimal   what kind of alarm, in which community; everything else is behind the link
home      the home's name, and why (the default)
full      also the address and the residents' names, for readers who may see them on the page too
"""

from collections.abc import Mapping
from typing import Any, Literal

Detail = Literal["minimal", "home", "full"]


def detail_for(policy: Detail, alert: Mapping[str, Any], person_id: int | None) -> Detail:
    """What this reader gets. A channel of the platform belongs to nobody, and a group may read it: never `full`.

    Args:
        alert: with `may_see`: whether the reader is staff of the home, consenting family, or a volunteer who is called.
    """
    if policy == "full" and (person_id is None or not alert["may_see"]):
        return "home"
    return policy
