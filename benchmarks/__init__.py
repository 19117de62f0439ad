"""The only room that knows all the others: it joins, runs, times, caches and reports."""

from benchmarks.rooms import require_own_rooms

require_own_rooms()
