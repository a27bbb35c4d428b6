"""What a run prints in a terminal: what was made, what a check found, what went wrong; not every engine event."""

import logging
import sys

import dagster as dg

TOLD = {"ASSET_MATERIALIZATION", "ASSET_CHECK_EVALUATION", "STEP_FAILURE", "RUN_FAILURE", "RUN_SUCCESS"}


class _WorthTelling(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        """Keep messages of our own, warnings, and the events of `TOLD`."""
        event = getattr(record, "dagster_event", None)
        return record.levelno >= logging.INFO or (event is not None and event.event_type_value in TOLD)


class _Line(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        """Give the time, then what happened, in one line."""
        event = getattr(record, "dagster_event", None)
        told = _tell(event) if event is not None else None
        return f"{self.formatTime(record, '%H:%M:%S')} {told or record.getMessage()}"


@dg.logger(config_schema={"log_level": dg.Field(str, default_value="DEBUG", is_required=False)})
def console(init_context: dg.InitLoggerContext) -> logging.Logger:
    """Print what is worth telling to stderr."""
    logger = logging.Logger("tinyemo.console", level=init_context.logger_config["log_level"])
    handler = logging.StreamHandler(sys.stderr)
    handler.addFilter(_WorthTelling())
    handler.setFormatter(_Line())
    logger.addHandler(handler)
    return logger


def _tell(event: dg.DagsterEvent) -> str | None:
    if event.event_type_value == "ASSET_MATERIALIZATION":
        made = event.step_materialization_data.materialization
        rows = made.metadata.get("dagster/row_count")
        return f"made    {made.asset_key.to_user_string()}" + (f", {rows.value:,} rows" if rows else "")
    if event.event_type_value == "ASSET_CHECK_EVALUATION":
        check = event.asset_check_evaluation_data
        verdict = "holds  " if check.passed else "WARNING" if check.severity.value == "WARN" else "BROKEN "
        return f"{verdict} {check.asset_key.to_user_string()}: {check.check_name}"
    return None
