"""Addresses that WeCom's callbacks come from (doc 92521)."""

from __future__ import annotations

from wecom.client import WeComClient


def get_callback_ips(client: WeComClient) -> list[str]:
    """Addresses and patterns such as ``203.0.113.*``. Old and new ranges overlap for a while when they change."""
    answer = client.get("getcallbackip", lane="notice")
    return [str(address) for address in answer.get("ip_list") or []]
