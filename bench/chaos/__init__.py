"""Kills, freezes and floods the parts of the service, and counts what was lost or doubled."""
