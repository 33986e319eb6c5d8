"""Background jobs of the imitated Zendesk account (vendor sheet 4, batch)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from trueup.connectors.zendesk.vendor_rules import Values, VendorError, bad_request, not_found

MOST_AT_ONCE = 30
MOST_ITEMS = 100
KEPT_FOR = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Step:
    """One item of a job. `marks` name it in its result (`index`, `id`, `external_id`); `act` does it and
    answers the rest of the result, or raises VendorError when the item is refused."""

    marks: Values
    act: Callable[[], Values]


@dataclass(frozen=True, slots=True)
class Fate:
    """What happens to the `nth` job (from 1): it ends as `failed` or `killed` after doing `done` items,
    or is `lost`: it does `done` items and its status can never be read."""

    nth: int
    ends: str
    done: int = 0


@dataclass(slots=True)
class Job:
    id: str
    number: int
    submitted: datetime
    steps: list[Step]
    status: str = "queued"
    polls: int = 0
    results: list[Values] | None = None
    message: str | None = None


@dataclass(slots=True)
class Jobs:
    """A job is done once it was polled `polls` times, or `seconds` after it was handed in (None: never).

    `fates` plans misfortunes by number. Results come in an order of their own: last item first.
    """

    now: Callable[[], datetime]
    base_url: str
    polls: int = 2
    seconds: float | None = 5.0
    fates: list[Fate] = field(default_factory=list)
    all: dict[str, Job] = field(default_factory=dict)
    active: dict[str, Job] = field(default_factory=dict)  # queued or working

    def submit(self, steps: Sequence[Step]) -> Values:
        """Takes a job; 429 while 30 are queued or working."""
        if not steps or len(steps) > MOST_ITEMS:
            raise bad_request("Invalid batch", f"between 1 and {MOST_ITEMS} items are allowed")
        if len(self.active) >= MOST_AT_ONCE:
            busy = VendorError(429, "TooManyJobs", "You have too many jobs running. Please wait.")
            busy.headers["Retry-After"] = "60"
            raise busy
        number = len(self.all) + 1
        job = Job(f"{number:032x}", number, self.now(), list(steps))
        self.all[job.id] = self.active[job.id] = job
        return self._shown(job)

    def show(self, id: str) -> Values:
        job = self.all.get(id)
        if job is None or job.status == "lost" or self.now() - job.submitted > KEPT_FOR:
            raise not_found()
        if job.id in self.active:
            job.polls += 1
            job.status = "working"
            if job.polls >= self.polls:
                self._run(job)
        return self._shown(job)

    def advance(self) -> None:
        """Does the jobs whose time has come."""
        if self.seconds is None:
            return
        due = self.now() - timedelta(seconds=self.seconds)
        for job in list(self.active.values()):
            if job.submitted <= due:
                self._run(job)

    def _run(self, job: Job) -> None:
        del self.active[job.id]
        fate = next((fate for fate in self.fates if fate.nth == job.number), None)
        steps = job.steps if fate is None else job.steps[: fate.done]
        results = [self._outcome(step) for step in steps]
        job.status = "completed" if fate is None else fate.ends
        job.results = list(reversed(results)) if fate is None else results or None
        finished = f"Completed at {self.now():%Y-%m-%d %H:%M:%S} +0000"
        job.message = finished if fate is None else "The job did not finish"
        job.steps = []

    @staticmethod
    def _outcome(step: Step) -> Values:
        try:
            return {**step.marks, **step.act()}
        except VendorError as refusal:
            result: Values = {**step.marks, "status": "Failed", "success": False}
            return {**result, "error": refusal.body["error"], "details": _sentence(refusal.body)}

    def _shown(self, job: Job) -> Values:
        total = len(job.results) if job.status == "completed" and job.results else len(job.steps) or None
        return {
            "id": job.id,
            "url": f"{self.base_url}/api/v2/job_statuses/{job.id}.json",
            "status": job.status,
            "total": total,
            "progress": len(job.results) if job.results else None,
            "message": job.message,
            "results": job.results,
        }


def _sentence(body: Values) -> Any:
    details = body.get("details") or {}
    said = [one["description"] for entries in details.values() for one in entries]
    return ", ".join(said) or body.get("description", "")
