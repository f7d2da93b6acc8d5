"""What both ends agree on: the contract on the wire and the settings in YAML."""
