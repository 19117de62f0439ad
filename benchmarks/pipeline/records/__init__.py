"""Records, rankings and protocol cards: everything that is kept of a run."""
