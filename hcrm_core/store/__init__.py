"""The durable side: tables, engine, transactions, one question a query. Only this package knows SQLAlchemy."""
