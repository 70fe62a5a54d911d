"""From HL7 v2 segments to records: tables of field paths in `data/`, and the code that follows them."""
