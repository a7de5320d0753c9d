"""The store: functions over a connection; a transaction is a `with database.begin()` block.

Hot paths use SQLAlchemy Core on `Model.__table__`. The same statements run on SQLite and PostgreSQL.
"""
