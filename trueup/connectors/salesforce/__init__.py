"""Salesforce Sales Cloud: leads, contacts, accounts and opportunities of one org."""
