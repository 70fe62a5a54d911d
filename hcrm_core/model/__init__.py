"""What flows between the rooms: records in, decisions out. No input or output happens here."""
