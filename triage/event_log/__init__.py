"""Import of a helpdesk's event log: snapshots of incidents become tickets and their events.

rows      a line of the file becomes a Snapshot, or a refusal
spool     snapshots in the order of incidents, however many there are
changes   successive snapshots of one incident become what happened to it
storing   what happened becomes tickets and events
"""
