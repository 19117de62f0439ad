"""The field's own sets: of each the facts, the reader of its layout and its protocol."""
