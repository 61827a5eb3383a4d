"""Entry points: thin mains over the other rooms, one a console script."""
