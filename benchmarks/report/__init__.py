"""Records to pages: tables, plots and what they tell. Needs no pictures and no networks."""
