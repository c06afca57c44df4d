"""One file per programming model: how a loaded module's functions take requests."""
