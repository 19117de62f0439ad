"""Vectors to ranked ids to scores. This room knows nothing of pictures or extractors.

`knn` finds, `protocol` says what counts, `ranking` keeps what a search showed, `metrics`
scores it.
"""
