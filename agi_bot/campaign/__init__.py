"""Outbound campaigns: store, permission, schedule, dialer, results."""
