"""Second looks at a finished search: expansion, neighbourhoods, diffusion, verification."""
