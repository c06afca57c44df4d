"""The Python host: loads one function and serves it over HTTP. Standard library only, Python 3.9 and later."""
