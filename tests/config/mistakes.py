"""The mistakes of the gallery: what people type, and where. The texts they get are in gallery/NAME.txt."""

from __future__ import annotations

from dataclasses import dataclass

HUB, LIFE, DEDUPE = "hub.yaml", "lifecycle.yaml", "dedupe.yaml"
SALES, MARKETING = "connections/sales.yaml", "connections/marketing.yaml"
SHOP, SUPPORT, EXAMPLES = "connections/shop.yaml", "connections/support.yaml", "examples.yaml"


@dataclass(frozen=True, slots=True)
class Mistake:
    """Texts of one file (or several) that are replaced. `unset`: variables that are missing."""

    name: str
    changes: tuple[tuple[str, str, str], ...]
    unset: tuple[str, ...] = ()


def _one(name: str, file: str, old: str, new: str, *unset: str) -> Mistake:
    return Mistake(name, ((file, old, new),), unset)


_TOKEN = 'auth: {kind: bearer, token: "${env:HUBSPOT_TOKEN}"}'

MISTAKES = (
    # -- YAML as people type it
    _one("unquoted-variable-in-braces", MARKETING, '"${env:HUBSPOT_TOKEN}"', "${env:HUBSPOT_TOKEN}"),
    _one("tab-in-indentation", HUB, "  create: {count: 2000}", "\tcreate: {count: 2000}"),
    _one("no-break-space-from-a-wiki", SALES, "mql: Open - Not Contacted", "mql: Open -\u00a0Not Contacted"),
    _one("zero-width-space", SALES, "role: sales", "role: sales\u200b"),
    _one("value-begins-with-at", HUB, "name: acme", "name: @acme"),
    _one("value-begins-with-percent", SALES, "fallback: Inbound queue", "fallback: %queue"),
    _one("second-colon-in-value", SALES, "disqualified: Unqualified", "disqualified: Closed: Unqualified"),
    _one(
        "condition-begins-with-quote",
        LIFE,
        """'"beach" in tags && !("investor" in tags)'""",
        """"beach" in tags && !("investor" in tags)""",
    ),
    _one("condition-begins-with-not", LIFE, 'gold: tier == "gold"', 'gold: !(tier == "standard")'),
    _one(
        "condition-with-list-in-braces",
        LIFE,
        '{of: order, where: state == "paid", take: last}',
        '{of: order, where: state in ["paid"], take: last}',
    ),
    _one("typographic-quotes", LIFE, 'gold: tier == "gold"', "gold: “tier”"),
    _one("quote-never-closed", HUB, "name: acme", 'name: "acme'),
    _one("brace-never-closed", SALES, "schedule: {every: 5m}", "schedule: {every: 5m"),
    _one(
        "wrong-indentation",
        SHOP,
        "    key: customer_id\n    changed_at: updated_at\n    consent:",
        "    key: customer_id\n   changed_at: updated_at\n    consent:",
    ),
    _one("same-key-twice", HUB, "phone_region: UA  ", "time_zone: Europe/Kyiv\nphone_region: UA  "),
    _one("cyrillic-letter-in-key", SALES, "  Lead:  ", "  L\u0435ad:  "),
    Mistake(
        "several-in-one-file",
        (
            (SALES, "role: sales", "role: sales\u200b"),
            (SALES, "every: 5m", "every: five"),
            (
                SALES,
                "      interests: {field: Interests__c, transform: semicolon_list}",
                "      interests: {field: Interests__c, transform: list}\n      intersts: {field: X__c}",
            ),
        ),
    ),
    Mistake(
        "a-broken-file-does-not-hide-others",
        (
            (SALES, "objects:\n  Lead:", "objects:\n ]\n  Lead:"),
            (MARKETING, "role: marketing", "role: marketting"),
            (HUB, "share: 20%", "share: 20"),
        ),
    ),
    _one("key-with-trailing-blank", SALES, "  Lead:  ", '  "Lead ":  '),
    _one("missing-blank-after-colon", SALES, "schedule: {every: 5m}", "schedule:\n  every:5m"),
    _one(
        "merge-key",
        SALES,
        "  Opportunity: {entity: deal, direction: in}",
        "  Opportunity:\n    <<: {entity: deal}",
    ),
    _one("python-tag", HUB, "name: acme", "name: !!python/object/apply:os.system [date]"),
    _one("two-documents", DEDUPE, "never_identifies:", "---\nnever_identifies:"),
    # -- values
    _one("yes-for-true", MARKETING, "webhooks: true", "webhooks: yes"),
    _one(
        "no-as-remote-value",
        SALES,
        "    deactivate: {Active__c: false}              #",
        "    deactivate: {Active__c: no}  #",
    ),
    _one("leading-zero-as-remote-value", SALES, "disqualified: Unqualified", "disqualified: 08"),
    _one("time-as-remote-value", SALES, "disqualified: Unqualified", "disqualified: 12:30"),
    _one("duration-without-unit", SALES, "schedule: {every: 5m}", "schedule: {every: 5}"),
    _one("share-without-percent", SALES, "reserve: 10%", "reserve: 10"),
    _one("number-with-separator", SALES, "calls_per_day: 40000", "calls_per_day: 40 000"),
    _one("wrong-cron", SALES, "schedule: {every: 5m}", "schedule: {cron: 0 25 * * *}"),
    _one(
        "list-without-brackets",
        LIFE,
        "  priority: [service, handoff, event, newsletter]",
        "  priority: service, handoff",
    ),
    _one("hash-begins-a-comment", SALES, "fallback: Inbound queue", "fallback: #inbound"),
    # -- secrets
    Mistake(
        "literal-token",
        ((MARKETING, '"${env:HUBSPOT_TOKEN}"', "pat-eu1-0f3c9b7e-aaaa-bbbb-cccc-123456789abc"),),
    ),
    Mistake(
        "literal-password-in-url", ((SHOP, '"${env:SHOP_DATABASE}"', '"postgresql://shop:hunter2@db/shop"'),)
    ),
    Mistake("missing-variable", (), ("ZENDESK_TOKEN",)),
    Mistake(
        "one-missing-variable-in-two-files",
        ((SUPPORT, 'token: "${env:ZENDESK_TOKEN}"', 'token: "${env:HUBSPOT_TOKEN}"'),),
        ("HUBSPOT_TOKEN",),
    ),
    _one("variable-without-env", MARKETING, '"${env:HUBSPOT_TOKEN}"', '"${HUBSPOT_TOKEN}"'),
    _one("missing-secret-file", MARKETING, '"${env:HUBSPOT_TOKEN}"', '"${file:secrets/hubspot}"'),
    # -- keys and words
    _one("misspelt-key", HUB, "fuses:  ", "fuse:  "),
    _one("key-of-another-file", DEDUPE, "vetoes: [", "survivorship: {tags: {strategy: union}}\nvetoes: ["),
    _one("misspelt-key-that-must-be-there", SALES, "connector: salesforce", "conector: salesforce"),
    _one(
        "misspelt-key-of-one-object",
        SHOP,
        "    entity: contact\n    key: customer_id",
        "    entitty: contact\n    key: customer_id",
    ),
    Mistake(
        "misspelt-key-beside-one-that-is-missing",
        (
            (SHOP, "    entity: contact\n    key: customer_id", "    entitty: contact\n    key: customer_id"),
            (SHOP, "    case: order\n", ""),
        ),
    ),
    _one("turned-letters", SALES, "connector: salesforce", "connector: slq"),
    _one("unknown-connector", SALES, "connector: salesforce", "connector: sales_force"),
    _one("unknown-role", SALES, "role: sales", "role: crm"),
    _one("missing-role", SALES, "role: sales\n", ""),
    _one("unknown-sign-in", SALES, "kind: client_credentials", "kind: client_credential"),
    _one(
        "unknown-option",
        SALES,
        "role: sales\n",
        "role: sales\noptions: {external_id_feld: Hub_Id__c}\n",
    ),
    _one(
        "option-of-another-form", SALES, "role: sales\n", "role: sales\noptions: {save_duplicates: maybe}\n"
    ),
    _one(
        "secret-among-options",
        SALES,
        "role: sales\n",
        'role: sales\noptions: {client_secret: "${env:SALESFORCE_CLIENT_SECRET}"}\n',
    ),
    _one(
        "unknown-option-of-an-object",
        SHOP,
        "    changed_at: updated_at\n    consent:",
        "    options: {lokback: 5m}\n    consent:",
    ),
    _one(
        "length-of-time-of-a-table-in-words",
        SHOP,
        "    changed_at: updated_at\n    consent:",
        "    lookback: five\n    consent:",
    ),
    _one(
        "file-key-for-a-table",
        SHOP,
        "    changed_at: updated_at\n    consent:",
        "    encoding: utf-8\n    consent:",
    ),
    _one("table-without-key", SHOP, "    key: order_id\n", ""),
    _one("unknown-object", SALES, "  Opportunity: {", "  Oportunity: {"),
    _one("unknown-time-zone", HUB, "time_zone: Europe/Kyiv", "time_zone: Europe/Kiyv"),
    _one("country-code-of-common-speech", HUB, "phone_region: UA", "phone_region: UK"),
    # -- fields
    _one(
        "misspelt-field",
        SALES,
        "      interests: {field: Interests__c",
        "      intrests: {field: Interests__c",
    ),
    _one("label-for-field-name", SUPPORT, "      full_name: name", "      Job Title: name"),
    _one("usual-word-for-field", SHOP, "      address.postcode:", "      zip:"),
    _one(
        "key-of-another-way-to-sign-in",
        SHOP,
        'auth: {kind: url, url: "${env:SHOP_DATABASE}"}',
        'auth: {kind: url, url: "${env:SHOP_DATABASE}", password: "${env:SHOP_DATABASE}"}',
    ),
    _one("unknown-transform", SALES, "transform: semicolon_list", "transform: semicolonlist"),
    _one(
        "transform-of-another-type",
        SUPPORT,
        "      full_name: name",
        "      full_name: {field: name, transform: integer}",
    ),
    _one(
        "countrys-name-cut",
        SALES,
        "      score: {field: Score__c,",
        "      address.country: {field: Country, transform: country_name, max_length: 8,"
        " too_long: truncate}\n"
        "      score: {field: Score__c,",
    ),
    _one(
        "word-of-a-list-cut",
        SALES,
        "tier: {field: Tier__c, direction: out}",
        "tier: {field: Tier__c, direction: out, max_length: 3, too_long: truncate}",
    ),
    _one(
        "computed-field-comes-in",
        MARKETING,
        "owner.email: {field: rep_email, direction: out}",
        "owner.email: {field: rep_email, direction: in}",
    ),
    _one(
        "read-only-field-goes-out",
        MARKETING,
        "score: {field: hub_score, direction: out",
        "score: {field: hs_analytics_source, direction: out",
    ),
    _one(
        "two-rules-write-one-field",
        MARKETING,
        "current_offer: {field: current_offer, direction: in}",
        "current_offer: {field: partner_name}",
    ),
    _one(
        "action-and-rule-write-one-field",
        SALES,
        "      score: {field: Score__c, direction: out",
        "      score: {field: Active__c, direction: out",
    ),
    _one("field-mapped-and-left-out", MARKETING, "without: [fax, website]", "without: [fax, interests]"),
    _one(
        "confined-field-elsewhere",
        MARKETING,
        "      partner_name: partner_name",
        "      contract_number: contract_no",
    ),
    _one(
        "confined-field-in-handoff",
        SALES,
        "fields: [email, last_name,",
        "fields: [contract_number, email, last_name,",
    ),
    _one(
        "unknown-choice-in-custom-field-map",
        MARKETING,
        "tier: {field: customer_tier, direction: out}             #",
        "tier: {field: customer_tier, direction: out, values: {gold: A, standart: B}}  #",
    ),
    _one(
        "custom-field-that-exists",
        HUB,
        "    partner_name: {",
        "    birthday: {type: date}\n    partner_name: {",
    ),
    _one(
        "type-of-a-custom-field-as-programs-call-it",
        HUB,
        "    partner_name: {",
        "    shoe_size: {type: number}\n    badge: {type: string}\n    motto: {type: texte}\n"
        "    partner_name: {",
    ),
    Mistake(
        "unknown-type-of-a-custom-field-that-is-mapped",
        (
            (HUB, "tier: {type: choice, options: [standard, gold]}", "tier: {type: string}"),
            (HUB, "default: {authority: [control, sales, ", "default: {authority: [control, sale, "),
        ),
    ),
    _one(
        "strategy-of-sets-for-one-value",
        HUB,
        "birthday: {strategy: most_complete}",
        "birthday: {strategy: union}",
    ),
    # -- stages and value maps
    _one("stage-missing-in-value-map", MARKETING, "        opportunity: opportunity\n", ""),
    _one(
        "unknown-stage-in-value-map",
        SALES,
        "        sal: Working - Contacted",
        "        sale: Working - Contacted",
    ),
    _one(
        "unknown-stage-in-transition",
        LIFE,
        "{to: opportunity, from: [sal, sql], when: open_deals > 0}",
        "{to: oportunity, from: [sal, sql], when: open_deals > 0}",
    ),
    _one("stage-nobody-leads", LIFE, "  sal: {control: sales}", "  sal: {}"),
    _one(
        "stage-led-by-nobody-there",
        LIFE,
        "  customer: {control: operations}",
        "  customer: {control: opertions}",
    ),
    _one(
        "stage-that-nothing-leads-to",
        LIFE,
        "  sql: {control: sales}",
        "  sql: {control: sales}\n  trial: {control: sales}",
    ),
    _one(
        "deactivate-where-nothing-says-how",
        LIFE,
        "  disqualified: {control: marketing, enter: [{deactivate_in: sales}]",
        "  disqualified: {control: marketing, enter: [{deactivate_in: marketing}]",
    ),
    _one(
        "transition-without-condition",
        LIFE,
        "{to: lead, from: [name, recycled, former], when: score >= 40}",
        "{to: lead, from: [name, recycled, former]}",
    ),
    _one("unknown-fact-in-summary", LIFE, "open_tickets: {of: ticket,", "open_tickets: {of: tiket,"),
    # -- conditions
    _one("misspelt-name-in-condition", LIFE, "when: score >= 40", "when: scor >= 40 || true"),
    _one(
        "misspelt-word-in-condition",
        SALES,
        'stage in ["mql", "sal", "sql"] ',
        'stage in ["mqlead", "sal", "sql"] ',
    ),
    _one("number-beside-text-in-condition", LIFE, "when: open_deals > 0", 'when: open_deals > "0"'),
    _one("unknown-function-in-condition", LIFE, "days_since(last_order_at)", "days_after(last_order_at)"),
    _one(
        "condition-that-is-no-condition",
        MARKETING,
        'create: consent.email.marketing == "opted_in" ',
        "create: consent.email.marketing ",
    ),
    _one(
        "yes-as-a-condition",
        MARKETING,
        'create: consent.email.marketing == "opted_in" ',
        "create: yes ",
    ),
    _one("name-of-another-fact-in-condition", LIFE, 'where: state != "closed"', 'where: stage != "closed"'),
    _one(
        "loop-of-two-transitions",
        LIFE,
        "take: count, since: stage_cycle}   # since the last way back",
        "take: count}",
    ),
    _one(
        "publish-by-a-change-of-text",
        SUPPORT,
        "{field: user_fields.tier, direction: out}",
        "{field: user_fields.tier, direction: out, publish: {when_changed_by: 5}}",
    ),
    _one(
        "publish-by-a-change-without-number",
        MARKETING,
        "publish: {at_most_every: 1d}",
        "publish: {at_most_every: 1d, when_changed_by: a lot}",
    ),
    _one(
        "company-made-where-no-object-is",
        SALES,
        "  Contact:\n",
        "  Account: off\n  Contact:\n    company: create\n",
    ),
    _one(
        "leaves-without-the-way-back",
        SALES,
        "    reactivate: {Active__c: true}\n    stage:",
        "    leaves: deactivate\n    stage:",
    ),
    # -- lists of objects
    _one(
        "kinds-without-an-item",
        SUPPORT,
        "      full_name: name",
        "      full_name: name\n      phones[]: {field: user_fields.numbers, kinds: {work: office}}",
    ),
    _one(
        "item-of-a-set-without-kinds",
        SUPPORT,
        "      full_name: name",
        "      full_name: name\n      social: {field: user_fields.social, item: {value: url}}",
    ),
    _one(
        "item-without-a-value",
        SUPPORT,
        "      full_name: name",
        "      full_name: name\n      phones[]: {field: user_fields.numbers, item: {kind: type}}",
    ),
    _one(
        "postal-address-as-one-value",
        SUPPORT,
        "      full_name: name",
        "      full_name: name\n      addresses[]: {field: user_fields.places, item: {value: address}}",
    ),
    _one(
        "part-of-a-postal-address-in-another-list",
        SUPPORT,
        "      full_name: name",
        "      full_name: name\n"
        "      phones[]: {field: user_fields.numbers, item: {value: number, city: town}}",
    ),
    _one(
        "item-with-one-place-for-two-parts",
        SUPPORT,
        "      full_name: name",
        "      full_name: name\n      phones[]: {field: user_fields.numbers, item: {value: no, label: no}}",
    ),
    _one(
        "kinds-that-there-are-not",
        SUPPORT,
        "      full_name: name",
        "      full_name: name\n      phones[]:\n        field: user_fields.numbers\n"
        "        item: {value: number, kind: type}\n"
        "        kinds: {wrk: office, fax: fax, home: [private, home], other: home}",
    ),
    _one(
        "list-of-objects-as-one-value",
        SUPPORT,
        "      full_name: name",
        "      full_name: name\n"
        "      phones[]: {field: user_fields.numbers, shape: element, item: {value: number}}",
    ),
    # -- names
    _one(
        "authority-names-nobody",
        HUB,
        "default: {authority: [control, sales, operations, marketing]}",
        "default: {authority: [control, sale, operations, marketing]}",
    ),
    Mistake(
        "connection-with-the-name-of-a-shared-role",
        (
            (
                "connections/crm.yaml",
                "",
                "connector: salesforce\nrole: sales\nauth: {kind: client_credentials,"
                ' domain: b.my.salesforce.com, client_id: "${env:SALESFORCE_CLIENT_ID}",'
                ' client_secret: "${env:SALESFORCE_CLIENT_SECRET}"}\n',
            ),
        ),
    ),
    _one("unknown-segment-published", MARKETING, "publish: [nurture, gold,", "publish: [nurture, golden,"),
    # -- consent
    _one("consent-without-a-sign", SHOP, "{field: no_mail, opted_out: true}", "{field: no_mail}"),
    _one(
        "consent-by-absence",
        SUPPORT,
        "{tag: no_marketing, opted_out: present}",
        "{tag: marketing, opted_out: absent}",
    ),
    _one("consent-of-unknown-channel", SALES, "      phone.marketing: {", "      telephone.marketing: {"),
    _one("consent-as-a-field", SUPPORT, "      full_name: name", "      consent.email.marketing: no_mail"),
    # -- files
    Mistake("file-with-another-ending", (("lifecycle.yml", "", "stages: {}\n"),)),
    Mistake(
        "example-with-unknown-object",
        (
            (
                EXAMPLES,
                "",
                "- name: a lead comes in\n  given: {sales: {Leads: {Email: ann@example.com}}}\n"
                "  expect: {stage: leed}\n",
            ),
        ),
    ),
)
