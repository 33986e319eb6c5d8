"""`company:` of an object: whether companies that its records name are linked, made, or left alone."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime

from trueup.dedupe.normalise import company_key, domain_key, match_keys
from trueup.model.delivery import Write, WriteKind
from trueup.model.entity import Entity, Link, LinkState, Source
from trueup.model.fields import Kind
from trueup.model.plan import Context, Founding
from trueup.model.values import Value
from trueup.sync.rules.decide_values import RULE, Values, keep_company
from trueup.sync.rules.policy import Policy, Stream


def ignored(source: Source | None, policy: Policy) -> bool:
    """Whether a company's name came from a record whose companies are to be left alone."""
    if source is None:
        return False
    ignoring = policy.companies("ignore")
    return bool(ignoring) and tuple(source.ref.split("/")[:2]) in ignoring


def makes_companies(policy: Policy) -> bool:
    """Whether any object makes companies of what its contacts name."""
    return bool(policy.companies("create"))


def keep_in_company(state: Values, before: Entity, context: Context, policy: Policy, now: datetime) -> None:
    """A contact's company follows the name of it, unless that came from where companies are left alone."""
    if not ignored(state.sources.get("company_name"), policy):
        keep_company(state, before, context, context.companies, now)
        _keep_domain(state, before, context, policy, now)
    elif state.values.get("company") != before.values.get("company"):
        keep_company(state, before, context, {}, now)


def _keep_domain(state: Values, before: Entity, context: Context, policy: Policy, now: datetime) -> None:
    """Where companies are made, a contact without one belongs to the only company that holds the domain of
    its e-mail; not one whose company's name was changed just now: that person may have moved on."""
    if state.values.get("company") is not None or not makes_companies(policy):
        return
    if (
        _taken_away(state.values, state.sources, before)
        or _moved_on(state.values, before)
        or _bearers(state.values, context)
    ):
        return
    holders = _domain_holders(state.values, context)
    if len(holders) == 1:
        source = Source(RULE, "rule", now)
        state.put("company", next(iter(holders)), source, "company of that domain")


def foundings(
    before: Entity,
    after: Entity,
    links: Sequence[Link],
    writes: Iterable[Write],
    context: Context,
    policy: Policy,
    now: datetime,
) -> tuple[tuple[Founding, ...], tuple[tuple[str, str, str], ...]]:
    """The company that a contact names and nobody bears; why none is made, by (connection, object, why)."""
    if after.kind is not Kind.CONTACT or after.provisional or not makes_companies(policy):
        return (), ()
    values = _company(before, after, context)
    if not values or ignored(after.sources.get("company_name"), policy):
        return (), ()
    skipped: list[tuple[str, str, str]] = []
    for stream in _places(links, writes, policy):
        why = _hindrance(stream, values, context, policy, now)
        if not why:
            keys = tuple(match_keys(Kind.COMPANY, values))
            return (Founding(*stream, values, keys, after.id, after.public_id),), tuple(skipped)
        skipped.append((*stream, f"company: {why}"))
    return (), tuple(skipped)


def _company(before: Entity, after: Entity, context: Context) -> Mapping[str, Value]:
    """What is known of a company that is to be made; nothing where one is linked, or could be meant."""
    if after.values.get("company") is not None or _bearers(after.values, context):
        return {}
    name, domain = after.values.get("company_name"), _domain(after.values)
    if name is None and _taken_away(after.values, after.sources, before):
        return {}
    if _domain_holders(after.values, context):
        if not _moved_on(after.values, before):
            return {}
        domain = None
    if name is not None and not company_key(name):
        name = None
    told = {"name": name or domain, "domain": domain}
    return {field: value for field, value in told.items() if value is not None}


def _places(links: Sequence[Link], writes: Iterable[Write], policy: Policy) -> Iterator[Stream]:
    """Objects of companies, in the connections that have this contact in an object that makes companies."""
    there = {link.stream for link in links if link.state in (LinkState.LIVE, LinkState.WANTED)}
    there |= {(write.connection, write.object) for write in writes if write.kind is WriteKind.CREATE}
    making = {
        stream[0] for stream in there if stream in policy.rules and policy.rules[stream].company == "create"
    }
    yield from (stream for stream in policy.streams(Kind.COMPANY) if stream[0] in making)


def _hindrance(
    stream: Stream, values: Mapping[str, Value], context: Context, policy: Policy, now: datetime
) -> str:
    """Why no company is made there; empty where nothing is in the way."""
    condition = policy.create.get(stream)
    if condition is None:
        return f"nothing says `create:` for {stream[1]}"
    if not all(one in context.gates_open for one in policy.streams(Kind.COMPANY)):
        return "none is made before all companies were listed to the end once"
    answer = condition.met(values, now)
    if not answer.met:
        return answer.reason
    named = any(one.outward and "name" in one.fields for one in policy.mappings[stream].bindings)
    return "" if named else f"no name is mapped in {stream[1]}"


def _moved_on(values: Mapping[str, Value], before: Entity) -> bool:
    old = before.values.get("company_name")
    return old is not None and values.get("company_name") != old


def _taken_away(values: Mapping[str, Value], sources: Mapping[str, Source], before: Entity) -> bool:
    """Whether somebody left this person without a company: the address alone gives none back, until it is at
    another domain."""
    source = sources.get("company")
    taken = values.get("company") is None and source is not None and source.origin != RULE
    return taken and _domain(values) == _domain(before.values)


def _bearers(values: Mapping[str, Value], context: Context) -> frozenset[str]:
    name = values.get("company_name")
    return context.holders.get(("name", company_key(name)), frozenset()) if name else frozenset()


def _domain_holders(values: Mapping[str, Value], context: Context) -> frozenset[str]:
    domain = _domain(values)
    return context.holders.get(("domain", domain), frozenset()) if domain else frozenset()


def _domain(values: Mapping[str, Value]) -> str | None:
    return domain_key(str(values.get("email") or ""))
