"""What an extension in Python needs: the protocol's types, and the contract of the process."""
