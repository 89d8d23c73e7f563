"""The library of an extension in Python: the protocol's types, and the process contract."""
