"""What Forestall exists for: deadlines, plays and their reasons, as pure functions of their arguments.

Allowed: the standard library, pydantic (schemas of packs and playbooks), package data of this folder.
Never: a clock, a database, the network, logging. `now` is always an argument; instants are integer
UTC microseconds; money is an integer in minor units of an ISO currency.
"""
