"""Communication preferences of the HubSpot stand-in (v3 definitions, v4 statuses)."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import httpx

from trueup.connectors.hubspot.vendor_portal import Consent
from trueup.connectors.hubspot.vendor_properties import iso
from trueup.connectors.hubspot.vendor_wire import STATES, Desk, body_of, failure, item_error, too_many
from trueup.sandbox.standin import Match


class Preferences:
    """Answers about subscriptions. They belong to addresses, whether a contact holds one or not."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def definitions(self, request: httpx.Request, match: Match) -> httpx.Response:
        now = iso(self._desk.now())
        known = [
            {
                "id": str(id),
                "name": name,
                "description": "",
                "isActive": True,
                "isDefault": False,
                "isInternal": False,
                "createdAt": now,
                "updatedAt": now,
            }
            for id, name in self._desk.portal.subscriptions.items()
        ]
        return httpx.Response(200, json={"subscriptionDefinitions": known})

    def statuses_read(self, request: httpx.Request, match: Match) -> httpx.Response:
        emails = body_of(match).get("inputs") or []
        if len(emails) > 100 or match.query.get("channel") != "EMAIL":
            return failure(400, "VALIDATION_ERROR", "at most 100 addresses, and a channel")
        results = [
            {
                "subscriberIdString": email,
                "statuses": [self._told_status(email, id) for id in self._desk.portal.subscriptions],
            }
            for email in emails
        ]
        return self._desk.batch(results, [], 200)

    def _told_status(self, email: str, subscription: int) -> dict[str, Any]:
        consent = self._desk.portal.consent(email.strip().lower(), subscription)
        told: dict[str, Any] = {
            "channel": "EMAIL",
            "subscriberIdString": email,
            "subscriptionId": subscription,
            "subscriptionName": self._desk.portal.subscriptions[subscription],
            "status": consent.status,
            "source": consent.source,
            "timestamp": iso(consent.at or datetime(1970, 1, 1, tzinfo=UTC)),
        }
        if consent.explanation:
            told["legalBasisExplanation"] = consent.explanation
        return told

    def statuses_write(self, request: httpx.Request, match: Match) -> httpx.Response:
        inputs = body_of(match).get("inputs") or []
        if len(inputs) > 100:
            return too_many(len(inputs))
        results, errors = [], []
        for one in inputs:
            id, email = int(one["subscriptionId"]), str(one["subscriberIdString"]).strip().lower()
            if id not in self._desk.portal.subscriptions or one.get("statusState") not in STATES:
                message = f"subscription {id} does not exist or the state is unknown"
                errors.append(item_error("VALIDATION_ERROR", message, ids=[str(id)]))
                continue
            consent = Consent(one["statusState"], "API", explanation=one.get("legalBasisExplanation", ""))
            self.set(email, id, consent, "api")
            results.append(self._told_status(email, id))
        return self._desk.batch(results, errors, 200)

    def set(self, email: str, subscription: int, consent: Consent, by: str) -> None:
        email = email.strip().lower()
        before = self._desk.portal.consent(email, subscription).status
        self._desk.portal.set_consent(email, subscription, consent, self._desk.now())
        row = self._desk.portal.holder("contacts", "email", email)
        name = self._desk.portal.subscriptions[subscription]
        self._desk.note(
            by, "consent", "contacts", row.id if row else email, {name: before}, {name: consent.status}
        )
        if row is not None:
            flag = f"hs_email_optout_{subscription}"
            self._desk.event(by, "contacts", "propertyChange", row.id, propertyName=flag)

    def id_of(self, name: str) -> int:
        return next(id for id, known in self._desk.portal.subscriptions.items() if known == name)
