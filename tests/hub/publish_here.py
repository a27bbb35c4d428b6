"""Publish the staged pretraining set of a store: `python -m tests.hub.publish_here STORE`, for tests that kill it."""

import sys

from tinyemo_data.hub.publishing import publish
from tinyemo_data.hub.repository import repository_of
from tinyemo_data.settings import HubSettings
from tinyemo_data.store import Store

if __name__ == "__main__":
    settings = HubSettings(namespace="somebody")
    publish(Store(sys.argv[1]), repository_of("pretrain", settings), settings)
