"""Pages of a dataset and of all datasets, one a module.

Functions that write a page get the dataset's folder of results, ``<out>/<dataset>``, what is kept
there, and the book that collects its plots; those that plot get its table rows by query set.
"""
