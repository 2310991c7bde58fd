"""What the doctor looks at: this machine, the parts of the config, the servers' wires."""
