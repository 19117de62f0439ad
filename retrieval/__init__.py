"""Vectors to rankings to scores; nothing here knows of pictures or extractors.

`knn` compares, `protocol` judges, `ranking` keeps the result of a search, `metrics` scores it.
"""
