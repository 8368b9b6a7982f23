"""Figures for Prometheus, read from the database at each scrape. See docs/monitoring.md."""

from functools import partial

from triage.telemetry import autonomy, burn, tallies, traffic, work
from triage.telemetry.scrape import Part

PARTS = (
    Part("jobs", work.jobs),
    Part("queue", work.queue),
    Part("helpdesks", work.helpdesks),
    Part("traffic_tallies", partial(tallies.keep, traffic.COUNTERS)),
    Part("traffic", traffic.collect),
    Part("rungs", autonomy.rungs),
    Part("stops", autonomy.stops),
    Part("champions", autonomy.champions),
    Part("budgets", burn.collect),
)
