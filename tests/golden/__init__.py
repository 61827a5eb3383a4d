"""Checks sg_keras against a folder of reference numbers: python -m tests.golden DIR [--group NAME] [--impl ...].

The folder's manifest.json (format 2) says what to run; nothing here depends on one particular folder. Reading order:
manifest (cases), tolerance (how close is close enough), layout (published arrays to ours), then one checks_* module
for each kind of case, and __main__ (the command).
"""
