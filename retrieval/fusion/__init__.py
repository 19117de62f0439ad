"""Several extractors' searches of one gallery, made one."""
