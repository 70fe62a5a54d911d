"""Who is whom: each source patient is linked to one customer, and facts never move."""
