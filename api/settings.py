"""What the api is told from outside."""

from typing import Annotated, Literal

import msgspec


class Settings(msgspec.Struct, frozen=True):
    """The api's settings, from `YIJU_*`."""

    database_url: Annotated[str, msgspec.Meta(description="PostgreSQL URL of a login that may take the role yiju_api")]
    host: Annotated[str, msgspec.Meta(description="address that the web and the API listen on")] = "127.0.0.1"
    port: Annotated[int, msgspec.Meta(ge=0, le=65_535, description="port that the web and the API listen on")] = 8321
    public_url: Annotated[
        str, msgspec.Meta(description="address under which people reach the pages, e.g. https://care.example.org")
    ] = "http://127.0.0.1:8321"
    secure_cookie: Annotated[
        bool, msgspec.Meta(description="send the session cookie over HTTPS only; set it wherever there is HTTPS")
    ] = False
    pool_size: Annotated[int, msgspec.Meta(ge=1, le=200, description="database connections of the api")] = 8
    zone: Annotated[str, msgspec.Meta(description="IANA zone of the times on pages that belong to no single home")] = (
        "Asia/Shanghai"
    )
    gateway_broker_url: Annotated[
        str,
        msgspec.Meta(description="the broker as gateways reach it, mqtts://host:port; told to them when they enrol"),
    ] = ""
    gateway_ca: Annotated[
        str, msgspec.Meta(description="file with that broker's certificate authority; empty: one that all know")
    ] = ""
    metrics_token: Annotated[
        str, msgspec.Meta(description="bearer token with which Prometheus reads /metrics; empty: only staff may")
    ] = ""
    operator_channels: Annotated[
        str, msgspec.Meta(description="channels of who runs the platform, told when a part of it fails")
    ] = ""
    operator_locale: Annotated[Literal["zh_CN", "en"], msgspec.Meta(description="in which language")] = "zh_CN"
    nothing_stored_s: Annotated[
        float, msgspec.Meta(gt=0, description="the operator is told when no gateway has said anything for so long")
    ] = 900.0
    phone_secret: Annotated[
        str, msgspec.Meta(description="what the SMS gateway shows with receipts and replies; empty: none are taken")
    ] = ""
    demo_phones: Annotated[
        str,
        msgspec.Meta(description="a demo's folder, whose phones are shown; set by `yiju up --demo`, else empty"),
    ] = ""
    own_channels: Annotated[
        str, msgspec.Meta(description="kinds of channels that people may enter themselves, separated by spaces")
    ] = "wecombot dingtalk feishu lark tgram"
    push_hosts: Annotated[
        str, msgspec.Meta(description="push services of browsers, separated by spaces; hosts below them count too")
    ] = "fcm.googleapis.com push.services.mozilla.com web.push.apple.com notify.windows.com"
