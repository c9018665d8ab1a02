"""Twins of the kernels, one file a family: what each must leave in memory, from docs/DEFINITION.md, and
the cases that say so. They share nothing with the kernels but the numbers of their arguments."""
