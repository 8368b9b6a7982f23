"""Measures speed and breaks parts on purpose, on services of its own (see ground.py).

Importing it gives Django's models on these services' database, which nothing has started yet.
"""

import django

from bench import ground

ground.plan()
django.setup()
