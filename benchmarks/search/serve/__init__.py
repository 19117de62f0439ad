"""The search page: pictures are dropped or drawn, and several methods answer side by side."""
