"""A run before it begins: what it needs of memory, time, disk and money."""
