"""Durability and the process: clock, configuration, store, the three hops, scheduler, command line.

Layers, one way: cli -> scheduler -> engine -> store -> tables. Concrete adapters are reached through
entry points only. Time comes from `daemon.clock` or the argument `now`.
"""
