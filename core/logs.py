"""Logs: one event a line, JSON for machines, coloured for a terminal. Nothing personal is ever logged:
events carry keys and ids (home, gateway, alert), never names, addresses, phone numbers or payloads."""

import logging
import sys

import structlog


def configure_logs(service: str, *, as_json: bool, level: str = "INFO") -> None:
    """Sets the process's logging up, once, at its entry point. Logs go to standard error."""
    renderer: structlog.typing.Processor = (
        structlog.processors.JSONRenderer(ensure_ascii=False)
        if as_json
        else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.upper()]),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
    structlog.contextvars.bind_contextvars(service=service)
