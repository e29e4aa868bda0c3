"""What a gateway is told, read from `YIJU_*`."""

from typing import Annotated

import msgspec
from msgspec import Meta


class Settings(msgspec.Struct, frozen=True):
    """Settings of one gateway."""

    gateway_key: Annotated[str, Meta(description="this gateway's key: its name in the register and at the broker")]
    gateway_password: Annotated[str, Meta(description="its password at the platform's broker")]
    platform_url: Annotated[
        str, Meta(description="the platform's broker: mqtts://host:port, or mqtt://host:port without encryption")
    ]
    platform_ca: Annotated[
        str, Meta(description="file with the certificate authority of the platform's broker; empty: the system's")
    ] = ""
    local_broker_url: Annotated[
        str, Meta(description="the home's own broker, which the devices speak to: mqtt://user:password@host:port")
    ] = "mqtt://127.0.0.1:1883"
    gateway_folder: Annotated[str, Meta(description="folder of the outbox; must survive a restart")] = ".yiju/gateway"
    outbox_mb: Annotated[
        int, Meta(description="megabytes that unsent readings may take before the oldest are thinned", ge=1)
    ] = 512
    zigbee2mqtt_topic: Annotated[str, Meta(description="base topic of Zigbee2MQTT", min_length=1)] = "zigbee2mqtt"
    ok_actions: Annotated[
        str, Meta(description='button actions that mean "I am all right", separated by spaces, e.g. `single`')
    ] = ""
    sos_actions: Annotated[
        str, Meta(description="button actions that call for help, besides `emergency`, `sos` and `panic`")
    ] = ""
    device_zone: Annotated[
        str,
        Meta(description="time zone that devices' clocks show, e.g. Asia/Shanghai; empty: local times are not used"),
    ] = ""
    tasmota_topics: Annotated[
        str, Meta(description="FullTopic settings of Tasmota devices, separated by spaces", min_length=1)
    ] = "%prefix%/%topic%/"
    tasmota_fields: Annotated[
        str, Meta(description="what Tasmota's switches and meter names mean, e.g. `bed/Switch1=occupied SML.E=energy`")
    ] = ""
    shelly_topics: Annotated[
        str, Meta(description="topic prefixes of Shelly devices of the second generation and later, + for any word")
    ] = "+"
    shelly_fields: Annotated[
        str, Meta(description="what Shelly's inputs and Bluetooth sensors mean, e.g. `shellyplus1-1a2b/input:0=open`")
    ] = ""
    homeassistant_topic: Annotated[str, Meta(description="prefix of Home Assistant's MQTT discovery", min_length=1)] = (
        "homeassistant"
    )
    homeassistant_fields: Annotated[
        str, Meta(description="what discovered entities mean that do not say it, e.g. `a1b2c3/bed=occupied`")
    ] = ""
