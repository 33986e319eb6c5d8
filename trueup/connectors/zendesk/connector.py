"""The steps of Zendesk that a manifest cannot say: side-loaded addresses, jobs, single addresses and tags."""

from __future__ import annotations

from trueup.connectors.rest import Steps
from trueup.connectors.zendesk import reading, writing

STEPS = Steps(pull=reading.pull, read=reading.read, find=reading.find, write=writing.write, poll=writing.poll)
