"""Looking for near duplicates within and across the parts of a dataset."""
