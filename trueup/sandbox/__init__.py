"""Hostile stand-ins for the vendors, and realistic people to fill them with.

`standin` is what every stand-in is built on; each vendor's own lies beside its connector
(`trueup/connectors/<system>/vendor.py`). The same stand-in is driven in process (as the handler of
`httpx.MockTransport`) and over real HTTP on loopback (`trueup sandbox`).
"""
