"""The demo: hand-written tickets of an invented company and the helpdesk that sends them.

Nothing here is part of the service. Its people, tickets and past decisions are made up; what
the pages then compute from them is computed, not made up.
"""
