"""Getting public sets: downloads that resume, checked, unpacked with every member looked at."""
