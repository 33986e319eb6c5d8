"""Zendesk Support: users as contacts, organizations as companies, tickets as cases."""
